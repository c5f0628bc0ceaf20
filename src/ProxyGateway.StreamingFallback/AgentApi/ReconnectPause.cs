using ProxyGateway.StreamingFallback.Configuration;

namespace ProxyGateway.StreamingFallback.AgentApi;

/// <summary>How long to wait before an event stream is taken up again. Pure.</summary>
internal static class ReconnectPause
{
    /// <param name="settings">The cluster's.</param>
    /// <param name="failures">Connections in a row that failed or did not last; 0 for the first try.</param>
    /// <param name="wanted">The upstream's own wish (its <c>retry:</c> field).</param>
    /// <param name="random">From 0 to 1: clients whose streams broke at once must not come back at once.</param>
    public static TimeSpan For(ReconnectSettings settings, int failures, TimeSpan? wanted, double random)
    {
        var doubled = settings.Delay * Math.Pow(2, Math.Min(failures, 30));
        var pause = wanted > doubled ? wanted.Value : doubled;
        return (pause < settings.MaxDelay ? pause : settings.MaxDelay) * (0.5 + (random / 2));
    }
}
