using System.Globalization;
using Microsoft.AspNetCore.Http;
using ProxyGateway.TestKit.Contract;
using Yarp.ReverseProxy.Forwarder;

namespace ProxyGateway.SimulationTests.Simulation;

/// <summary>
/// Stands in the place of YARP's forwarder and of the upstream behind it: answers each attempt of an exchange by its script and
/// does to the features what the forwarder does. Of an attempt the gateway cancels, exactly what was handed over is on record.
/// </summary>
internal sealed class SimulatedUpstream(SimulatedTime time)
{
    private SimulatedClient _client = null!;
    private Func<int, bool, bool, UpstreamScript> _answer = null!;
    private Func<byte[], string, bool> _asksForStream = null!;
    private int _chunk;

    public List<SimulatedAttempt> Attempts { get; } = [];

    /// <summary>When the gateway had not flushed what it had written at a moment when the upstream could have paused for long.</summary>
    public bool LeftUnflushed { get; private set; }

    /// <param name="client">The client of the exchange that begins.</param>
    /// <param name="chunk">Bytes per read.</param>
    /// <param name="asksForStream">Whether a request asks for a stream, by its body, its path and query.</param>
    /// <param name="answer">By the attempt's number from 1, whether it asks for a stream, and whether it is at a fallback cluster.</param>
    public void Begin(SimulatedClient client, int chunk, Func<byte[], string, bool> asksForStream, Func<int, bool, bool, UpstreamScript> answer)
    {
        Attempts.Clear();
        LeftUnflushed = false;
        (_client, _chunk, _asksForStream, _answer) = (client, chunk, asksForStream, answer);
    }

    public async Task ForwardAsync(HttpContext context)
    {
        var feature = context.GetReverseProxyFeature();
        feature.ProxiedDestination = feature.AvailableDestinations[0];
        var request = new MemoryStream();
        context.Request.Body.CopyTo(request);
        var body = request.ToArray();
        var cluster = feature.Cluster.Config.ClusterId;
        var isFallback = cluster != SimulatedGateway.Primary;
        var target = context.Request.Path + context.Request.QueryString;
        var streaming = _asksForStream(body, target);
        var attempt = new SimulatedAttempt(_answer(Attempts.Count + 1, streaming, isFallback))
        {
            Cluster = cluster,
            Streaming = streaming,
            RequestBody = body,
            RequestTarget = target,
            RequestHeaders = isFallback ? [.. context.Request.Headers.Select(h => KeyValuePair.Create(h.Key, h.Value.ToString()))] : [],
            BeganAfterClientLeft = _client.HasLeft,
        };
        Attempts.Add(attempt);
        await RunAsync(context, attempt);
        attempt.EndedAt = time.Now;
    }

    private async Task RunAsync(HttpContext context, SimulatedAttempt attempt)
    {
        var script = attempt.Script;
        if (script.End == ScriptEnd.Refused)
        {
            attempt.Ending = AttemptEnding.NotConnected;
            Report(context, ForwarderError.Request, new HttpRequestException(HttpRequestError.ConnectionError, "refused"), StatusCodes.Status502BadGateway);
            return;
        }

        if ((script.Delay > TimeSpan.Zero && !await WaitAsync(script.Delay, context.RequestAborted))
            || (script is { End: ScriptEnd.Silence, Body.IsEmpty: true } && !await WaitAsync(Timeout.InfiniteTimeSpan, context.RequestAborted)))
        {
            attempt.Ending = AttemptEnding.Stalled;
            attempt.HeadersSent = false;
            Report(context, ForwarderError.RequestCanceled, new OperationCanceledException(), StatusCodes.Status502BadGateway);
            return;
        }

        attempt.HeadersSent = true;
        var response = context.Response;
        response.StatusCode = script.Status;
        if (script.ContentType is { } type)
        {
            response.ContentType = type;
        }

        if (script.RetryAfterSeconds is { } seconds)
        {
            response.Headers.RetryAfter = seconds.ToString(CultureInfo.InvariantCulture);
        }

        for (var position = 0; position < script.Body.Length; position = attempt.Sent)
        {
            var length = Math.Min(_chunk, script.Body.Length - position);
            if (script.Pauses.Count > 0)
            {
                length = await PauseAsync(script, position, length, context.RequestAborted);
            }

            if (context.RequestAborted.IsCancellationRequested)
            {
                Cancelled(context, attempt);
                return;
            }

            attempt.Sent += length;
            await response.Body.WriteAsync(script.Body.Slice(position, length), context.RequestAborted);
            LeftUnflushed |= _client.Unflushed > 0;
        }

        await EndAsync(context, attempt);
    }

    private async Task EndAsync(HttpContext context, SimulatedAttempt attempt)
    {
        switch (attempt.Script.End)
        {
            case ScriptEnd.ClientLeavesAtEnd:
                _client.Leave();
                attempt.Ending = AttemptEnding.Clean;
                Report(context, ForwarderError.ResponseBodyCanceled, new OperationCanceledException(), StatusCodes.Status502BadGateway);
                return;
            case ScriptEnd.Clean when !context.RequestAborted.IsCancellationRequested:
                attempt.Ending = AttemptEnding.Clean;
                return;
            case ScriptEnd.Clean:
                // The fault was in the last bytes: cancelled, but nothing was left to come.
                attempt.Ending = AttemptEnding.Clean;
                Report(context, ForwarderError.ResponseBodyCanceled, new OperationCanceledException(), StatusCodes.Status502BadGateway);
                return;
            case ScriptEnd.Silence:
                await WaitAsync(Timeout.InfiniteTimeSpan, context.RequestAborted);
                attempt.Ending = AttemptEnding.Stalled;
                Report(context, ForwarderError.ResponseBodyCanceled, new OperationCanceledException(), StatusCodes.Status502BadGateway);
                return;
            case ScriptEnd.ClientLeaves:
                _client.Leave();
                await WaitAsync(Timeout.InfiniteTimeSpan, context.RequestAborted);
                attempt.Ending = AttemptEnding.CancelledByGateway;
                Report(context, ForwarderError.ResponseBodyCanceled, new OperationCanceledException(), StatusCodes.Status502BadGateway);
                return;
            default:
                attempt.Ending = AttemptEnding.Broken;
                Report(context, ForwarderError.ResponseBodyDestination, new IOException("reset"), StatusCodes.Status502BadGateway);
                return;
        }
    }

    /// <summary>Waits where a pause is due, and says how much may be sent before the next one.</summary>
    private async Task<int> PauseAsync(UpstreamScript script, int position, int length, CancellationToken cancelled)
    {
        if (script.Pauses.Contains(position))
        {
            await WaitAsync(script.Pause, cancelled);
        }

        foreach (var pause in script.Pauses)
        {
            length = pause > position ? Math.Min(length, pause - position) : length;
        }

        return length;
    }

    private static void Cancelled(HttpContext context, SimulatedAttempt attempt)
    {
        attempt.Ending = AttemptEnding.Broken;
        attempt.CancelledEarly = true;
        Report(context, ForwarderError.ResponseBodyCanceled, new OperationCanceledException(), StatusCodes.Status502BadGateway);
    }

    /// <summary>As the forwarder does where the response has not started, and an attempt's never has.</summary>
    private static void Report(HttpContext context, ForwarderError error, Exception exception, int status)
    {
        context.Features.Set<IForwarderErrorFeature>(new ErrorFeature(error, exception));
        context.Response.Clear();
        context.Response.StatusCode = status;
    }

    /// <summary>False where <paramref name="cancelled"/> came first. Goes on in the place that fires the timer or cancels.</summary>
    private async Task<bool> WaitAsync(TimeSpan delay, CancellationToken cancelled)
    {
        var ended = new TaskCompletionSource<bool>();
        using var timer = delay == Timeout.InfiniteTimeSpan
            ? null
            : time.CreateTimer(static s => ((TaskCompletionSource<bool>)s!).TrySetResult(true), ended, delay, Timeout.InfiniteTimeSpan);
        using var registration = cancelled.Register(static s => ((TaskCompletionSource<bool>)s!).TrySetResult(false), ended);
        return await ended.Task;
    }

    private sealed record ErrorFeature(ForwarderError Error, Exception? Exception) : IForwarderErrorFeature;
}

/// <summary>What became of one attempt.</summary>
internal sealed class SimulatedAttempt(UpstreamScript script)
{
    public UpstreamScript Script => script;

    public required string Cluster { get; init; }

    public required bool Streaming { get; init; }

    public required byte[] RequestBody { get; init; }

    public required string RequestTarget { get; init; }

    public required IReadOnlyList<KeyValuePair<string, string>> RequestHeaders { get; init; }

    public required bool BeganAfterClientLeft { get; init; }

    public int Sent { get; set; }

    public bool HeadersSent { get; set; }

    public AttemptEnding Ending { get; set; } = AttemptEnding.LeftOpen;

    /// <summary>The gateway left while the upstream still had something to send.</summary>
    public bool CancelledEarly { get; set; }

    public TimeSpan EndedAt { get; set; } = TimeSpan.MaxValue;

    public AttemptRecord ToRecord(TerminalRule terminal) => new()
    {
        Cluster = Cluster,
        IsFallback = Cluster != SimulatedGateway.Primary,
        Kind = Streaming ? AttemptKind.Streaming : AttemptKind.NonStreaming,
        RequestBody = RequestBody,
        RequestTarget = RequestTarget,
        RequestHeaders = RequestHeaders,
        Status = HeadersSent ? script.Status : 0,
        ContentType = HeadersSent ? script.ContentType : null,
        Body = script.Body[..Sent].ToArray(),
        Ending = Ending,
        Terminal = terminal,
        BeganAfterClientLeft = BeganAfterClientLeft,
    };
}
