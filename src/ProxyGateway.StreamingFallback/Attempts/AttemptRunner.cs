using Microsoft.AspNetCore.Http;
using ProxyGateway.StreamingFallback.Telemetry;

namespace ProxyGateway.StreamingFallback.Attempts;

/// <summary>Sends one attempt through the rest of YARP's pipeline, with the attempt's features in the client's place.</summary>
internal static class AttemptRunner
{
    public static async Task<AttemptOutcome> RunAsync(HttpContext context, UpstreamCall call, RequestDelegate next)
    {
        var forwarded = Begin(context, call, next);
        await forwarded.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return End(context, call, forwarded);
    }

    /// <summary>The first half of <see cref="RunAsync"/>, for who waits where it would: each layer that waits is one that every open stream waits in. Never throws.</summary>
    public static Task Begin(HttpContext context, UpstreamCall call, RequestDelegate next)
    {
        call.Proxy = context.Proxy();
        call.Span = call is Attempt attempt ? GatewayTracing.StartAttempt(attempt) : null;
        call.Features.Enter(context);
        try
        {
            return next(context);
        }
        catch (Exception e)
        {
            return Task.FromException(e);
        }
    }

    /// <summary>The second half, once <paramref name="forwarded"/> has ended however it may have: the attempt's outcome.</summary>
    public static AttemptOutcome End(HttpContext context, UpstreamCall call, Task forwarded)
    {
        using var span = call.Span;
        call.Features.Leave(context);
        // One that was cancelled knows why.
        if (!forwarded.IsCompletedSuccessfully && !(IsCancelled(forwarded) && call.Features.RequestAborted.IsCancellationRequested))
        {
            forwarded.GetAwaiter().GetResult();
        }

        // Judged at the end of YARP's pipeline already, unless that was left by an exception.
        var outcome = call.Outcome ?? call.Conclude(context.ForwarderError());
        if (call is Attempt ended)
        {
            AttemptReport.Ended(ended, outcome, call.Proxy?.ProxiedDestination?.DestinationId, span);
        }

        return outcome;
    }

    private static bool IsCancelled(Task forwarded) => forwarded.IsCanceled || forwarded.Exception?.InnerException is OperationCanceledException;
}
