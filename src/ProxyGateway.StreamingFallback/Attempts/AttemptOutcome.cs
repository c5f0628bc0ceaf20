using ProxyGateway.StreamingFallback.Telemetry;

namespace ProxyGateway.StreamingFallback.Attempts;

/// <summary>What one attempt came to.</summary>
/// <remarks>An object, so that the layers an open stream waits in need not each have room for it.</remarks>
internal sealed record AttemptOutcome(AttemptResult Result, Fault Fault, bool IsClientError = false)
{
    public static readonly AttemptOutcome Complete = new(AttemptResult.Complete, default);
}
