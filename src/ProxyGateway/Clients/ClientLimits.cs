using System.Threading.RateLimiting;
using ProxyGateway.Configuration;

namespace ProxyGateway.Clients;

/// <summary>What one client may still do. Thread-safe.</summary>
internal sealed class ClientLimits(ClientOptions options)
{
    private readonly ConcurrencyLimiter? _concurrency = options.MaxConcurrentRequests > 0
        ? new ConcurrencyLimiter(new ConcurrencyLimiterOptions { PermitLimit = options.MaxConcurrentRequests, QueueLimit = 0 })
        : null;

    private readonly SlidingWindowRateLimiter? _rate = options.RequestsPerMinute > 0
        ? new SlidingWindowRateLimiter(new SlidingWindowRateLimiterOptions
        {
            PermitLimit = options.RequestsPerMinute,
            Window = TimeSpan.FromMinutes(1),
            SegmentsPerWindow = 12,
            QueueLimit = 0,
            AutoReplenishment = true,
        })
        : null;

    private volatile SharedUsage? _shared;

    public int RequestsPerMinute => options.RequestsPerMinute;

    /// <summary>What other replicas tell of this client; null where nothing is shared.</summary>
    public SharedUsage? Shared
    {
        get => _shared;
        set => _shared = value;
    }

    public bool Matches(ClientOptions other) =>
        other.MaxConcurrentRequests == options.MaxConcurrentRequests && other.RequestsPerMinute == options.RequestsPerMinute;

    /// <summary>Null where a limit is reached; <paramref name="retryAfter"/> then says how long to wait. Dispose the lease when the request is over.</summary>
    public IDisposable? TryEnter(out TimeSpan retryAfter)
    {
        retryAfter = TimeSpan.FromSeconds(1);
        var slot = _concurrency?.AttemptAcquire();
        if (slot is { IsAcquired: false })
        {
            slot.Dispose();
            return null;
        }

        var shared = _rate is null ? null : _shared;
        if (shared is not null && !shared.Leaves(_rate!.GetStatistics()!.CurrentAvailablePermits, out var untilOthers))
        {
            retryAfter = untilOthers;
            slot?.Dispose();
            return null;
        }

        using var turn = _rate?.AttemptAcquire();
        if (turn is { IsAcquired: false })
        {
            if (turn.TryGetMetadata(MetadataName.RetryAfter, out var wait))
            {
                retryAfter = wait;
            }

            slot?.Dispose();
            return null;
        }

        shared?.Admitted();
        return slot is null ? NoLease.Instance : slot;
    }

    private sealed class NoLease : IDisposable
    {
        public static readonly NoLease Instance = new();

        public void Dispose()
        {
        }
    }
}
