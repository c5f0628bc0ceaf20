using System.Collections.Concurrent;
using System.Globalization;
using Microsoft.AspNetCore.Http;

namespace ProxyGateway.DemoAgents;

/// <summary>What the agent serves: reads a request, chooses its behavior and has the answer played.</summary>
internal sealed class AgentEndpoints(DemoAgentOptions options, AnswerPlayer player)
{
    // Enough for every model and prompt of a test or a benchmark; only so that nobody's own prompts fill the memory.
    private const int MaxRendered = 256;

    private static readonly OpenAIChatFormat s_openAI = new();
    private static readonly AnthropicMessagesFormat s_anthropic = new();
    private static readonly byte[] s_models = OpenAIChatFormat.Models();

    private readonly ConcurrentDictionary<(AnswerFormat, AnswerContent), RenderedStream> _streams = new();
    private readonly ConcurrentDictionary<(AnswerFormat, AnswerContent), byte[]> _bodies = new();
    private int _streamingRequests;
    private int _nonStreamingRequests;

    public int StreamingRequests => Volatile.Read(ref _streamingRequests);

    public int NonStreamingRequests => Volatile.Read(ref _nonStreamingRequests);

    public Task HandleAsync(HttpContext context) => (context.Request.Method, context.Request.Path.Value) switch
    {
        ("POST", "/v1/chat/completions") => ChatAsync(context, s_openAI),
        ("POST", "/v1/messages") => ChatAsync(context, s_anthropic),
        ("GET", "/v1/models") => AnswerPlayer.WriteJsonAsync(context, StatusCodes.Status200OK, s_models),
        _ => AnswerPlayer.WriteJsonAsync(context, StatusCodes.Status404NotFound, s_openAI.ErrorBody("invalid_request_error", "No such path.")),
    };

    private async Task ChatAsync(HttpContext context, AnswerFormat format)
    {
        if (await ReadRequestAsync(context) is not { } request)
        {
            await AnswerPlayer.WriteJsonAsync(
                context, StatusCodes.Status400BadRequest, format.ErrorBody("invalid_request_error", "The body is not a JSON object."));
            return;
        }

        var number = request.Streaming ? Interlocked.Increment(ref _streamingRequests) : Interlocked.Increment(ref _nonStreamingRequests);
        var call = new DemoCall(options.Name, request.Streaming, request.Model, ChooseBehavior(request, number));
        options.OnCall?.Invoke(call);
        try
        {
            await AnswerAsync(context, format, request, call);
        }
        catch (OperationCanceledException)
        {
            call.Outcome = DemoCallOutcome.ClientGone;
            context.Abort();
        }
    }

    private Task AnswerAsync(HttpContext context, AnswerFormat format, DemoRequest request, DemoCall call)
    {
        if (call.Behavior.Kind == DemoBehaviorKind.Refuse)
        {
            return player.RefuseAsync(context, call, format);
        }

        var key = (format, Content(request, call));
        return request.Streaming
            ? player.PlayStreamAsync(context, call, format, Rendered(_streams, key, static k => k.Item1.Stream(k.Item2)))
            : player.PlayBodyAsync(context, call, format, Rendered(_bodies, key, static k => k.Item1.Body(k.Item2)));
    }

    private DemoBehavior ChooseBehavior(DemoRequest request, int number)
    {
        if (options.Schedule?.Invoke(new DemoScheduleRequest(number, request.Streaming, request.Model)) is { } scheduled)
        {
            return scheduled;
        }

        if (options.ObeyModelNames && DemoBehavior.TryFromModel(request.Model, out var named))
        {
            return request.Streaming ? named : named.ForNonStreaming();
        }

        return request.Streaming ? options.Streaming : options.NonStreaming;
    }

    private AnswerContent Content(DemoRequest request, DemoCall call)
    {
        var promptHash = DemoText.Hash(request.Prompt);
        var idHash = DemoText.Hash(options.Name, promptHash) ^ (request.Streaming ? 0UL : 1UL);
        return new AnswerContent(
            "demo" + idHash.ToString("x16", CultureInfo.InvariantCulture),
            request.AnswerModel,
            promptHash,
            request.PromptTokens,
            options.Tokens,
            call.OtherText,
            call.Behavior.Kind is DemoBehaviorKind.Tool or DemoBehaviorKind.Call,
            request.IncludeUsage);
    }

    private static T Rendered<T>(
        ConcurrentDictionary<(AnswerFormat, AnswerContent), T> cache, (AnswerFormat, AnswerContent) key, Func<(AnswerFormat, AnswerContent), T> render)
    {
        if (cache.TryGetValue(key, out var rendered))
        {
            return rendered;
        }

        if (cache.Count > MaxRendered)
        {
            cache.Clear();
        }

        return cache.GetOrAdd(key, render);
    }

    private static async Task<DemoRequest?> ReadRequestAsync(HttpContext context)
    {
        var reader = context.Request.BodyReader;
        while (true)
        {
            var read = await reader.ReadAsync(context.RequestAborted);
            if (!read.IsCompleted)
            {
                reader.AdvanceTo(read.Buffer.Start, read.Buffer.End);
                continue;
            }

            var request = DemoRequest.Read(read.Buffer);
            reader.AdvanceTo(read.Buffer.End);
            return request;
        }
    }
}
