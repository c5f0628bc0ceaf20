using System.Runtime.CompilerServices;
using ProxyGateway.StreamingFallback.ChatFormats;
using ProxyGateway.StreamingFallback.Exchange;
using Yarp.ReverseProxy.Configuration;

namespace ProxyGateway.StreamingFallback.Configuration;

/// <summary>
/// All that an exchange on a guarded route needs to know, validated and immutable: the route, its clusters and the limits of
/// one configuration. It hangs on YARP's own route, so an exchange that has a route has the settings of the same configuration,
/// whatever is loaded meanwhile.
/// </summary>
internal sealed class RouteSettings
{
    private static readonly ConditionalWeakTable<RouteConfig, RouteSettings> Attached = [];

    public required string RouteId { get; init; }

    public required ChatFormat Format { get; init; }

    public required bool RecoveryEnabled { get; init; }

    public required ReplayPolicy Replay { get; init; }

    /// <summary>Whether the route itself names <see cref="Replay"/>, or leaves it to its format.</summary>
    public bool NamesReplay { get; init; }

    public required ReplayResponseFormat ResponseFormat { get; init; }

    public required MidStreamFailureAction OnMidStreamFailure { get; init; }

    public required IReadOnlyList<ModelRoute> Models { get; init; }

    public required UnknownModelAction UnknownModel { get; init; }

    public required System.Collections.Frozen.FrozenDictionary<string, string> ModelAliases { get; init; }

    public required ClusterSettings Cluster { get; init; }

    public required LimitSettings Limits { get; init; }

    /// <inheritdoc cref="AttemptPlan.ForAll"/>
    public IReadOnlyList<PlannedCluster> PlanForAll => field ??= AttemptPlan.ForAll(this);

    /// <summary>
    /// The policy for one request. What changes state at the upstream even as a plain chat is not sent twice on the word of
    /// a default.
    /// </summary>
    public ReplayPolicy ReplayOf(ChatRequest request) =>
        request.Stateful && !(NamesReplay && Replay == ReplayPolicy.Safe) ? ReplayPolicy.Never : Replay;

    /// <summary>Every cluster that an exchange on this route may ask.</summary>
    public IEnumerable<ClusterSettings> AllClusters() => Models.Select(m => m.Cluster).Prepend(Cluster)
        .SelectMany(c => c.Fallback.Select(f => f.Cluster).Prepend(c))
        .DistinctBy(c => c.ClusterId, StringComparer.OrdinalIgnoreCase);

    /// <summary>The settings of a route; null where it is not guarded.</summary>
    public static RouteSettings? Of(RouteConfig route) => Attached.TryGetValue(route, out var settings) ? settings : null;

    public void AttachTo(RouteConfig route) => Attached.AddOrUpdate(route, this);
}

/// <summary>A model pattern and where it leads.</summary>
internal sealed record ModelRoute(ModelPattern Pattern, ClusterSettings Cluster);

/// <summary>A validated, immutable copy of <see cref="StreamingFallbackOptions"/>.</summary>
internal sealed record LimitSettings(
    int MaxAttempts,
    TimeSpan CommitAfter,
    TimeSpan RecoveryTimeout,
    TimeSpan HeartbeatInterval,
    int MaxRequestBytes,
    int MaxEventBytes,
    int MaxDeliveredBytes,
    int MaxAnswerBytes,
    int ErrorStatus,
    bool ExposeServedBy,
    ConcurrencySettings Concurrency,
    long MaxReplayMemoryBytes,
    IReadOnlyList<ModelPattern> ModelLabels)
{
    private const int Kibi = 1024;
    private const int Mebi = 1024 * Kibi;

    /// <exception cref="InvalidOperationException">A value is out of its documented range; the message names the option.</exception>
    public static LimitSettings From(StreamingFallbackOptions o)
    {
        const string path = "StreamingFallback";
        var block = new OptionBlock(path);
        return new(
            block.Within(o.MaxAttempts, 1, 10),
            block.Within(o.CommitAfter, TimeSpan.FromMilliseconds(100), TimeSpan.FromMinutes(10)),
            block.Within(o.RecoveryTimeout, TimeSpan.FromMilliseconds(10), TimeSpan.FromHours(1)),
            block.Within(o.HeartbeatInterval, TimeSpan.FromMilliseconds(50), TimeSpan.FromSeconds(90)),
            block.Within(o.MaxRequestBytes, Kibi, 1024 * Mebi),
            block.Within(o.MaxEventBytes, Kibi, 64 * Mebi),
            block.Within(o.MaxDeliveredBytes, 0, 64 * Mebi),
            block.Within(o.MaxAnswerBytes, Kibi, 256 * Mebi),
            block.Within(o.ErrorStatus, 500, 599),
            o.ExposeServedBy,
            ConcurrencySettings.From(o.Concurrency, $"{path}:Concurrency"),
            WithinProcess(block.Within(o.MaxReplayMemoryBytes, 0, 1024L * 1024 * Mebi)),
            [.. o.ModelLabels.Select(p => new ModelPattern(p))]);
    }

    /// <summary>
    /// The process needs memory for more than what is kept, and buffers that grow take several times their content: where it is in
    /// a small container, the limit is what that allows. 0 stays without limit.
    /// </summary>
    private static long WithinProcess(long bytes) => Math.Min(bytes, GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 8);

    /// <summary>What telemetry may call a model; null where it may not name any.</summary>
    public string? LabelOf(string? model)
    {
        if (ModelLabels.Count == 0)
        {
            return null;
        }

        foreach (var pattern in ModelLabels)
        {
            if (model is not null && pattern.Matches(model))
            {
                return pattern.Text;
            }
        }

        return "other";
    }
}
