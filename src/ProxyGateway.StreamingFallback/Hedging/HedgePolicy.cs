using ProxyGateway.StreamingFallback.ChatFormats;
using ProxyGateway.StreamingFallback.Configuration;

namespace ProxyGateway.StreamingFallback.Hedging;

/// <summary>All that it depends on whether an attempt may get a second one beside it.</summary>
internal readonly record struct HedgeSituation
{
    public required HedgingSettings Settings { get; init; }

    /// <summary>The percentile of what was observed; null while too little was.</summary>
    public required TimeSpan? Observed { get; init; }

    public required AttemptMode Mode { get; init; }

    public required DeliveredKind Delivered { get; init; }

    /// <summary>Whether failed attempts are recovered at all.</summary>
    public required bool RecoveryEnabled { get; init; }

    public required ReplayPolicy Replay { get; init; }

    /// <summary>Attempts that may be made beyond this one.</summary>
    public required int AttemptsLeft { get; init; }

    /// <summary>Attempts at this cluster in this exchange, this one included.</summary>
    public required int AttemptsHere { get; init; }

    /// <summary>Whether the cluster is asked to find out if it is well again.</summary>
    public required bool IsProbe { get; init; }

    /// <summary>Whether the cluster binds clients to destinations: another one does not know this client.</summary>
    public required bool BindsClients { get; init; }

    /// <summary>Destinations that may be asked.</summary>
    public required int Destinations { get; init; }
}

/// <summary>Decides whether an attempt is hedged, and after how long. Pure and total.</summary>
internal static class HedgePolicy
{
    /// <summary>How long the attempt may be without content before a second one begins; null where none may.</summary>
    public static TimeSpan? DelayFor(in HedgeSituation s)
    {
        var may = s.Settings.Enabled
            && s.RecoveryEnabled
            // Both attempts reach an agent, so it takes the same word as a replay after content.
            && s.Replay == ReplayPolicy.Safe
            && s.Mode == AttemptMode.Streaming
            && s.Delivered == DeliveredKind.Nothing
            && s.AttemptsLeft > 0
            && s.AttemptsHere == 1
            && !s.IsProbe
            && !s.BindsClients
            && s.Destinations > 1;
        if (!may)
        {
            return null;
        }

        return s.Settings.Delay ?? (s.Observed is { } observed ? Longer(observed, s.Settings.MinDelay) : null);
    }

    private static TimeSpan Longer(TimeSpan a, TimeSpan b) => a > b ? a : b;
}
