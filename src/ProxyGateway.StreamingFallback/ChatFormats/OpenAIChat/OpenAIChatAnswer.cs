using System.Text.Json;
using ProxyGateway.StreamingFallback.ChatFormats.Json;

namespace ProxyGateway.StreamingFallback.ChatFormats.OpenAIChat;

/// <summary>A whole <c>chat.completion</c> or <c>text_completion</c>, checked once so that what is made of it needs no further doubt.</summary>
internal sealed class OpenAIChatAnswer : IDisposable
{
    private readonly JsonDocument _document;

    private OpenAIChatAnswer(JsonDocument document, List<AnswerChoice> choices)
    {
        _document = document;
        Choices = choices;
    }

    public JsonElement Root => _document.RootElement;

    public IReadOnlyList<AnswerChoice> Choices { get; }

    /// <summary>Reads <paramref name="json"/>; the answer is null unless the verdict is <see cref="AnswerVerdict.Usable"/>.</summary>
    public static AnswerVerdict Read(ReadOnlyMemory<byte> json, ChunkShape shape, out OpenAIChatAnswer? answer)
    {
        answer = null;
        if (JsonText.TryParseAnswer(json) is not { } document)
        {
            return AnswerVerdict.Unusable;
        }

        var choices = new List<AnswerChoice>();
        var verdict = ReadChoices(document.RootElement, shape, choices);
        if (verdict == AnswerVerdict.Usable)
        {
            answer = new OpenAIChatAnswer(document, choices);
        }
        else
        {
            document.Dispose();
        }

        return verdict;
    }

    public void Dispose() => _document.Dispose();

    private static AnswerVerdict ReadChoices(JsonElement root, ChunkShape shape, List<AnswerChoice> choices)
    {
        if (root.ValueKind != JsonValueKind.Object)
        {
            return AnswerVerdict.Unusable;
        }

        if ((root.TryGetProperty("error"u8, out var error) && error.ValueKind != JsonValueKind.Null)
            || "error"u8.SequenceEqual(JsonText.GetUtf8(root, "object"u8)))
        {
            return AnswerVerdict.Error;
        }

        if (!root.TryGetProperty("choices"u8, out var array) || array.ValueKind != JsonValueKind.Array)
        {
            return AnswerVerdict.Unusable;
        }

        foreach (var element in array.EnumerateArray())
        {
            if (AnswerChoice.Read(element, choices.Count, shape) is not { } choice || choices.Exists(c => c.Index == choice.Index))
            {
                return AnswerVerdict.Unusable;
            }

            choices.Add(choice);
        }

        choices.Sort(static (a, b) => a.Index.CompareTo(b.Index));
        return choices.Count > 0 ? AnswerVerdict.Usable : AnswerVerdict.Unusable;
    }
}

/// <summary>One choice of a whole answer.</summary>
internal sealed class AnswerChoice
{
    private AnswerChoice(int index, byte[][] texts, List<AnswerToolCall> toolCalls, byte[] finishReason, JsonElement? logprobs)
    {
        Index = index;
        Texts = texts;
        ToolCalls = toolCalls;
        FinishReason = finishReason;
        Logprobs = logprobs;
    }

    public int Index { get; }

    /// <summary>By <see cref="TextChannel"/>; empty where the answer has none.</summary>
    public byte[][] Texts { get; }

    public IReadOnlyList<AnswerToolCall> ToolCalls { get; }

    public byte[] FinishReason { get; }

    public JsonElement? Logprobs { get; }

    /// <summary>
    /// Null where the choice is not complete (no message, no stop reason, arguments that are no JSON), or holds what could not be
    /// passed on (content that is no text): an answer without it would look whole.
    /// </summary>
    public static AnswerChoice? Read(JsonElement element, int position, ChunkShape shape)
    {
        if (element.ValueKind != JsonValueKind.Object
            || JsonText.GetUtf8(element, "finish_reason"u8) is not { Length: > 0 } finish
            || finish.AsSpan().SequenceEqual("error"u8))
        {
            return null;
        }

        var index = element.TryGetProperty("index"u8, out var value) && value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var i) ? i : position;
        var logprobs = element.TryGetProperty("logprobs"u8, out var l) && l.ValueKind == JsonValueKind.Object ? l : (JsonElement?)null;
        return shape == ChunkShape.ChatDelta ? ReadMessage(element, index, finish, logprobs) : ReadText(element, index, finish, logprobs);
    }

    private static AnswerChoice? ReadText(JsonElement element, int index, byte[] finish, JsonElement? logprobs) =>
        JsonText.GetUtf8(element, "text"u8) is { } text
            ? new AnswerChoice(index, [[], [], text, []], [], finish, logprobs)
            : null;

    private static AnswerChoice? ReadMessage(JsonElement element, int index, byte[] finish, JsonElement? logprobs)
    {
        if (!element.TryGetProperty("message"u8, out var message) || message.ValueKind != JsonValueKind.Object)
        {
            return null;
        }

        if (JsonText.GetTextOrEmpty(message, "reasoning_content"u8) is not { } reasoningContent
            || JsonText.GetTextOrEmpty(message, "reasoning"u8) is not { } reasoning
            || JsonText.GetTextOrEmpty(message, "content"u8) is not { } content
            || JsonText.GetTextOrEmpty(message, "refusal"u8) is not { } refusal
            || ReadCalls(message) is not { } calls
            // No chunk could be made of these.
            || !JsonText.IsAbsent(message, "audio"u8)
            || !JsonText.IsAbsentOrEmpty(message, "images"u8))
        {
            return null;
        }

        var texts = new byte[DeliveredChoice.ChannelCount][];
        texts[(int)TextChannel.ReasoningContent] = reasoningContent;
        texts[(int)TextChannel.Reasoning] = reasoning;
        texts[(int)TextChannel.Content] = content;
        texts[(int)TextChannel.Refusal] = refusal;
        return new AnswerChoice(index, texts, calls, finish, logprobs);
    }

    /// <summary>Null where what stands for a call is none.</summary>
    private static List<AnswerToolCall>? ReadCalls(JsonElement message)
    {
        var calls = new List<AnswerToolCall>();
        if (!JsonText.IsAbsent(message, "tool_calls"u8))
        {
            var array = message.GetProperty("tool_calls"u8);
            if (array.ValueKind != JsonValueKind.Array)
            {
                return null;
            }

            foreach (var call in array.EnumerateArray())
            {
                if (AnswerToolCall.Read(call) is not { } read)
                {
                    return null;
                }

                calls.Add(read);
            }
        }

        if (calls.Count == 0 && !JsonText.IsAbsent(message, "function_call"u8))
        {
            if (AnswerToolCall.ReadFunction(message.GetProperty("function_call"u8), id: null, isLegacy: true) is not { } read)
            {
                return null;
            }

            calls.Add(read);
        }

        return calls;
    }
}

/// <summary>One tool call of a whole answer; its arguments are known to be JSON.</summary>
internal sealed record AnswerToolCall(byte[]? Id, byte[] Name, byte[] Arguments, bool IsLegacy)
{
    public static AnswerToolCall? Read(JsonElement call) =>
        call.ValueKind == JsonValueKind.Object && call.TryGetProperty("function"u8, out var function) && function.ValueKind == JsonValueKind.Object
            ? ReadFunction(function, JsonText.GetUtf8(call, "id"u8), isLegacy: false)
            : null;

    public static AnswerToolCall? ReadFunction(JsonElement function, byte[]? id, bool isLegacy) =>
        JsonText.GetUtf8(function, "name"u8) is { Length: > 0 } name
        && JsonText.GetTextOrEmpty(function, "arguments"u8) is { } arguments
        && JsonText.IsWholeOrEmpty(arguments)
            ? new AnswerToolCall(id, name, arguments, isLegacy)
            : null;
}
