using System.Globalization;
using ProxyGateway.Clients;
using ProxyGateway.StreamingFallback.CircuitBreaking;
using ProxyGateway.StreamingFallback.Telemetry;

namespace ProxyGateway.Backplane;

/// <summary>
/// One round with the other replicas: says which circuits are open here and what clients were let do, asks the same of them. It says
/// what is, not what happened, so nothing is queued, and a store that lost everything knows it all again after the next round.
/// </summary>
/// <param name="circuits">The circuits.</param>
/// <param name="clusters">Ids of the clusters whose circuits are in use.</param>
/// <param name="clients">The clients.</param>
/// <param name="metrics">What is counted.</param>
/// <param name="time">The clock.</param>
internal sealed class BackplaneRound(CircuitRegistry circuits, Func<IEnumerable<string>> clusters, ClientRegistry clients, BackplaneMetrics metrics, TimeProvider time)
{
    /// <summary>A sum with more digits is nobody's.</summary>
    private const int SumBytes = 20;

    /// <summary>More replicas than that do not share; a greater sum is not one that they could have reached.</summary>
    private const int MostReplicas = 1000;

    private static readonly TimeSpan UsageLifetime = TimeSpan.FromMinutes(3);
    private static readonly CircuitKind[] Kinds = Enum.GetValues<CircuitKind>();

    private readonly HashSet<string> _published = [];

    /// <summary>This process among its replicas.</summary>
    public string Instance { get; } = CircuitHint.NewInstance();

    /// <summary>What went wrong, the worst first; a good answer where nothing did. Never throws.</summary>
    public async Task<StoreAnswer> RunAsync(IBackplaneStore store, BackplaneSettings settings)
    {
        // Written each time: a server that is full or read-only would else look well until there is something to tell.
        List<Task<StoreAnswer>> turns = [store.SetAsync($"{settings.KeyPrefix}alive:{Instance}", "1", settings.Lease)];
        if (settings.ShareCircuits)
        {
            foreach (var id in clusters())
            {
                var pair = circuits.Get(id);
                turns.AddRange(Kinds.Select(kind => ShareAsync(store, settings, id, kind, pair[kind])));
            }
        }

        if (settings.ShareClientLimits)
        {
            turns.AddRange(clients.Current.WithRate.Select(c => ShareAsync(store, settings, c.Id, c.Limits)));
        }

        var whole = Task.WhenAll(turns);
        try
        {
            // Above the store's own limit, which tells more.
            return Worst(await whole.WaitAsync(settings.Timeout * 2, time));
        }
        catch (TimeoutException)
        {
            return new StoreAnswer(StoreOutcome.TimedOut);
        }
    }

    /// <summary>Begins the series of what a round may tell of, with or without a server.</summary>
    public void BeginSeries()
    {
        foreach (var id in clusters())
        {
            metrics.ClusterAppeared(id);
        }
    }

    /// <summary>From now on every client's limit is this replica's alone.</summary>
    public void Forget()
    {
        _published.Clear();
        foreach (var (_, limits) in clients.Current.WithRate)
        {
            limits.Shared = null;
        }
    }

    public static StoreAnswer Worst(IEnumerable<StoreAnswer> answers) =>
        answers.Aggregate(new StoreAnswer(StoreOutcome.Good), (worst, next) => Weight(next.Outcome) > Weight(worst.Outcome) ? next : worst);

    private static int Weight(StoreOutcome outcome) => outcome switch
    {
        StoreOutcome.Good => 0,
        StoreOutcome.Invalid => 1,
        StoreOutcome.Refused => 2,
        StoreOutcome.TimedOut => 3,
        _ => 4,
    };

    private async Task<StoreAnswer> ShareAsync(IBackplaneStore store, BackplaneSettings settings, string clusterId, CircuitKind kind, CircuitCell cell)
    {
        var key = $"{settings.KeyPrefix}open:{clusterId.ToLowerInvariant()}:{GatewayMetrics.Label(kind)}";
        var own = cell.Snapshot();
        if (own is { Status: CircuitStatus.Open } && own.TimeToHalfOpen > TimeSpan.Zero)
        {
            var lifetime = own.TimeToHalfOpen < settings.Lease ? own.TimeToHalfOpen : settings.Lease;
            var answer = await store.SetAsync(key, new CircuitHint(Instance, own.TimeToHalfOpen).ToString(), lifetime);
            if (answer.Outcome == StoreOutcome.Good && Publish(key))
            {
                metrics.Published(clusterId, kind);
            }

            return answer;
        }

        Publish(key, isOpen: false);
        if (own.Status != CircuitStatus.Closed)
        {
            return default;
        }

        var read = await store.ReadAsync(key, CircuitHint.MaxBytes);
        if (read.Outcome != StoreOutcome.Good || read.Value.Length == 0)
        {
            return read;
        }

        if (!CircuitHint.TryParse(read.Value, out var hint))
        {
            return new StoreAnswer(StoreOutcome.Invalid);
        }

        if (hint.Instance != Instance && cell.Hint(hint.Remaining < settings.Lease ? hint.Remaining : settings.Lease))
        {
            metrics.Received(clusterId, kind);
        }

        return read;
    }

    private async Task<StoreAnswer> ShareAsync(IBackplaneStore store, BackplaneSettings settings, string client, ClientLimits limits)
    {
        var shared = limits.Shared ??= new SharedUsage(time);
        if (shared.TakeNews() is not var (minute, news))
        {
            return default;
        }

        var key = $"{settings.KeyPrefix}used:{client}:";
        var now = key + minute.ToString(CultureInfo.InvariantCulture);
        var before = store.ReadAsync(key + (minute - 1).ToString(CultureInfo.InvariantCulture), SumBytes);
        var all = await (news > 0 ? store.AddAsync(now, news, UsageLifetime) : store.ReadAsync(now, SumBytes));
        var worst = Worst([all, await before]);
        if (worst.Outcome == StoreOutcome.Good)
        {
            if (!TryReadSum(all, limits, out var sum) || !TryReadSum(await before, limits, out var sumBefore))
            {
                return new StoreAnswer(StoreOutcome.Invalid);
            }

            shared.Learn(minute, sum, sumBefore, settings.Lease);
        }

        return worst;
    }

    private static bool TryReadSum(StoreAnswer answer, ClientLimits limits, out long sum)
    {
        sum = 0;
        return answer.Value.Length == 0
            || (long.TryParse(answer.Value, NumberStyles.None, CultureInfo.InvariantCulture, out sum) && sum <= 2L * MostReplicas * limits.RequestsPerMinute);
    }

    /// <summary>Keeps who is told of; true where it is news.</summary>
    private bool Publish(string key, bool isOpen = true)
    {
        // Rounds do not overlap, but the turns of one that ran out of time go on.
        lock (_published)
        {
            return isOpen ? _published.Add(key) : _published.Remove(key);
        }
    }
}
