using System.Globalization;
using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;

namespace ProxyGateway.DemoAgents;

/// <summary>Puts one answer on the wire the way its behavior says.</summary>
internal sealed class AnswerPlayer(DemoAgentOptions options, CancellationToken agentStops)
{
    // HTTP/2 offers no way to know that a frame has left, and a reset overtakes frames that have not.
    private static readonly TimeSpan s_http2ResetDelay = TimeSpan.FromMilliseconds(150);

    public static async Task WriteJsonAsync(HttpContext context, int status, byte[] body)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/json";
        context.Response.ContentLength = body.Length;
        await context.Response.BodyWriter.WriteAsync(body, context.RequestAborted);
    }

    public Task RefuseAsync(HttpContext context, DemoCall call, AnswerFormat format)
    {
        call.Outcome = DemoCallOutcome.Refused;
        var seconds = call.Behavior.Number ?? options.RetryAfterSeconds;
        context.Response.Headers.RetryAfter = seconds.ToString(CultureInfo.InvariantCulture);
        return WriteJsonAsync(context, StatusCodes.Status503ServiceUnavailable, format.ErrorBody("overloaded_error", "The demo agent refuses on request."));
    }

    public async Task PlayStreamAsync(HttpContext context, DemoCall call, AnswerFormat format, RenderedStream stream)
    {
        var behavior = call.Behavior;
        var cut = DiesInMidStream(behavior.Kind) ? Math.Min(behavior.Number ?? stream.ContentCount / 2, stream.ContentCount) : (int?)null;
        context.Response.ContentType = "text/event-stream";
        context.Response.Headers.CacheControl = "no-cache";
        await WriteAsync(context, stream.Opening);
        if (behavior.Kind == DemoBehaviorKind.Slow)
        {
            await DelayAsync(SlowDelay(behavior), context);
        }

        await WriteContentAsync(context, call, stream, cut ?? stream.ContentCount);
        if (cut is null)
        {
            call.Outcome = DemoCallOutcome.Answered;
            await WriteAsync(context, stream.Ending);
            return;
        }

        switch (behavior.Kind)
        {
            case DemoBehaviorKind.Clean:
                call.Outcome = DemoCallOutcome.EndedWithoutTerminal;
                break;
            case DemoBehaviorKind.Error:
                call.Outcome = DemoCallOutcome.ErrorEvent;
                await WriteAsync(context, format.ErrorEvent);
                break;
            case DemoBehaviorKind.Half:
                call.Outcome = DemoCallOutcome.CutInsideEvent;
                await WriteAsync(context, stream.HalfEvent(cut.Value));
                await EndWithoutTerminatorAsync(context);
                break;
            case DemoBehaviorKind.Stall:
                await StallAsync(context, call);
                break;
            default:
                await ResetAsync(context, call);
                break;
        }
    }

    public async Task PlayBodyAsync(HttpContext context, DemoCall call, AnswerFormat format, byte[] body)
    {
        var behavior = call.Behavior;
        if (behavior.Kind == DemoBehaviorKind.Slow)
        {
            await DelayAsync(SlowDelay(behavior), context);
        }

        if (!DiesInMidBody(behavior.Kind))
        {
            call.Outcome = DemoCallOutcome.Answered;
            await WriteJsonAsync(context, StatusCodes.Status200OK, body);
            return;
        }

        if (behavior.Kind == DemoBehaviorKind.Error)
        {
            call.Outcome = DemoCallOutcome.ErrorEvent;
            await WriteJsonAsync(context, StatusCodes.Status200OK, format.ErrorBody("server_error", "The demo agent failed on request."));
            return;
        }

        context.Response.ContentType = "application/json";
        await WriteAsync(context, body.AsMemory(0, body.Length / 2));
        switch (behavior.Kind)
        {
            case DemoBehaviorKind.Clean:
                call.Outcome = DemoCallOutcome.EndedWithoutTerminal;
                break;
            case DemoBehaviorKind.Half:
                call.Outcome = DemoCallOutcome.CutInsideEvent;
                await EndWithoutTerminatorAsync(context);
                break;
            case DemoBehaviorKind.Stall:
                await StallAsync(context, call);
                break;
            default:
                await ResetAsync(context, call);
                break;
        }
    }

    private static bool DiesInMidStream(DemoBehaviorKind kind) =>
        kind is DemoBehaviorKind.Reset or DemoBehaviorKind.Clean or DemoBehaviorKind.Half or DemoBehaviorKind.Stall
            or DemoBehaviorKind.Error or DemoBehaviorKind.Diverge or DemoBehaviorKind.Tool;

    private static bool DiesInMidBody(DemoBehaviorKind kind) =>
        kind is not DemoBehaviorKind.Diverge && DiesInMidStream(kind);

    private async Task WriteContentAsync(HttpContext context, DemoCall call, RenderedStream stream, int count)
    {
        for (var sent = 0; sent < count;)
        {
            var next = Math.Min(sent + options.TokensPerBurst, count);
            await WriteAsync(context, stream.Content(sent, next));
            call.ContentEventsSent = sent = next;
            if (options.TokenDelay > TimeSpan.Zero)
            {
                await DelayAsync(options.TokenDelay, context);
            }
        }
    }

    // No token: registering one costs more than the write, and Kestrel ends a blocked write itself when the client goes.
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private static async ValueTask WriteAsync(HttpContext context, ReadOnlyMemory<byte> bytes)
    {
        await context.Response.BodyWriter.WriteAsync(bytes, CancellationToken.None);
        context.RequestAborted.ThrowIfCancellationRequested();
    }

    private async Task StallAsync(HttpContext context, DemoCall call)
    {
        call.Outcome = DemoCallOutcome.Stalled;
        using var either = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, agentStops);
        try
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, options.TimeProvider, either.Token);
        }
        catch (OperationCanceledException)
        {
            // A return would end the body cleanly; a stalled agent that is stopped dies.
            context.Abort();
        }
    }

    private async Task ResetAsync(HttpContext context, DemoCall call)
    {
        call.Outcome = DemoCallOutcome.Reset;
        if (HttpProtocol.IsHttp2(context.Request.Protocol))
        {
            await DelayAsync(s_http2ResetDelay, context);
        }
        else if (context.Features.Get<IConnectionSocketFeature>() is { Socket: var socket })
        {
            socket.LingerState = new(true, 0);
        }

        context.Abort();
    }

    // Kestrel sends what was written and then FIN, without the last chunk, when the application throws.
    private async Task EndWithoutTerminatorAsync(HttpContext context)
    {
        if (HttpProtocol.IsHttp2(context.Request.Protocol))
        {
            await DelayAsync(s_http2ResetDelay, context);
        }

        throw new DeliberateDeathException();
    }

    private TimeSpan SlowDelay(DemoBehavior behavior) =>
        behavior.Number is { } milliseconds ? TimeSpan.FromMilliseconds(milliseconds) : options.SlowDelay;

    private Task DelayAsync(TimeSpan delay, HttpContext context) =>
        Task.Delay(delay, options.TimeProvider, context.RequestAborted);
}

/// <summary>Ends a response without its terminator.</summary>
internal sealed class DeliberateDeathException() : Exception("The demo agent died on request.");
