using Microsoft.AspNetCore.Http;
using ProxyGateway.StreamingFallback.Telemetry;
using Yarp.ReverseProxy.Forwarder;

namespace ProxyGateway.StreamingFallback.Attempts;

/// <summary>
/// Innermost of the pipeline: judges the attempt before passive health looks at it, so that YARP's health policies see a stream
/// that ended without its terminal, and do not blame a destination for what was the client's doing or ours.
/// </summary>
internal sealed class AttemptVerdictMiddleware(RequestDelegate next)
{
    public async Task InvokeAsync(HttpContext context)
    {
        await next(context);
        if (UpstreamCall.Of(context) is not { } call)
        {
            return;
        }

        // From here to the ending nothing may be written in between: the rest that is made now goes on from what was delivered.
        await call.TakeTurnAsync();
        var reported = context.ForwarderError();
        var outcome = call.Conclude(reported);
        if (!call.BlamesDestination)
        {
            if (reported is not null)
            {
                context.Features.Set<IForwarderErrorFeature>(null);
            }

            return;
        }

        // A clock or the guard has cancelled the attempt; YARP would take that for the client's leave and overlook the failure.
        call.Features.RequestAborted = CancellationToken.None;
        if (reported is null || reported.Error is ForwarderError.ResponseBodyCanceled or ForwarderError.RequestCanceled or ForwarderError.ResponseBodyClient)
        {
            context.Features.Set<IForwarderErrorFeature>(new StreamErrorFeature(
                outcome.Fault.Phase is FaultPhase.Connect or FaultPhase.Headers ? ForwarderError.RequestTimedOut : ForwarderError.ResponseBodyDestination));
        }
    }

    private sealed class StreamErrorFeature(ForwarderError error) : IForwarderErrorFeature
    {
        public ForwarderError Error => error;

        public Exception? Exception => null;
    }
}
