using ProxyGateway.StreamingFallback.ChatFormats;
using ProxyGateway.StreamingFallback.Telemetry;

namespace ProxyGateway.StreamingFallback.Attempts;

/// <summary>What one attempt came to.</summary>
internal readonly record struct AttemptOutcome(AttemptResult Result, Fault Fault, bool IsClientError = false);
