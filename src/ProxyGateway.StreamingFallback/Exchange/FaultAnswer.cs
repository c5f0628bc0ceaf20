using System.Globalization;
using Microsoft.AspNetCore.Http;
using ProxyGateway.StreamingFallback.ChatFormats;
using ProxyGateway.StreamingFallback.Configuration;
using ProxyGateway.StreamingFallback.Telemetry;

namespace ProxyGateway.StreamingFallback.Exchange;

/// <summary>How a fault is told to a client. Pure.</summary>
internal static class FaultAnswer
{
    public static GatewayError TooManyHops => new(
        StatusCodes.Status508LoopDetected, "loop_detected", "The request has come through too many gateways; a cluster seems to lead back to one of them.");

    public static GatewayError For(in Fault fault, LimitSettings limits) => new(StatusFor(fault.Kind, limits.ErrorStatus), fault.Kind.Code(), fault.Sentence());

    /// <summary>The value of <c>Retry-After</c> of a 503, in whole seconds.</summary>
    public static string RetryAfter(in Fault fault, TimeSpan? circuitWait)
    {
        var wait = fault.Kind == FaultKind.Overloaded ? null : circuitWait ?? fault.RetryAfter;
        return Math.Max(1, (long)Math.Ceiling(wait?.TotalSeconds ?? 1)).ToString(CultureInfo.InvariantCulture);
    }

    private static int StatusFor(FaultKind kind, int configured) => kind switch
    {
        FaultKind.CircuitOpen or FaultKind.Overloaded or FaultKind.OwnLimit or FaultKind.Shutdown or FaultKind.NoDestination => StatusCodes.Status503ServiceUnavailable,
        _ when kind.IsTimeout() && configured == StatusCodes.Status502BadGateway => StatusCodes.Status504GatewayTimeout,
        _ => configured,
    };
}
