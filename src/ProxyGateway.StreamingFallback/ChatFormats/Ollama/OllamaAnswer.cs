using System.Text.Json;
using ProxyGateway.StreamingFallback.ChatFormats.Json;

namespace ProxyGateway.StreamingFallback.ChatFormats.Ollama;

/// <summary>A whole Ollama chat answer, checked once so that what is made of it needs no further doubt.</summary>
internal sealed class OllamaAnswer : IDisposable
{
    private readonly JsonDocument _document;

    private OllamaAnswer(JsonDocument document, JsonElement message, byte[] thinking, byte[] content)
    {
        _document = document;
        Message = message;
        Thinking = thinking;
        Content = content;
        ToolCalls = JsonText.IsAbsent(message, "tool_calls"u8) ? [] : [.. message.GetProperty("tool_calls"u8).EnumerateArray()];
    }

    public JsonElement Root => _document.RootElement;

    public JsonElement Message { get; }

    public byte[] Thinking { get; }

    public byte[] Content { get; }

    public IReadOnlyList<JsonElement> ToolCalls { get; }

    /// <summary>Reads <paramref name="json"/>; the answer is null unless the verdict is <see cref="AnswerVerdict.Usable"/>.</summary>
    public static AnswerVerdict Read(ReadOnlyMemory<byte> json, out OllamaAnswer? answer)
    {
        answer = null;
        if (JsonText.TryParseAnswer(json) is not { } document)
        {
            return AnswerVerdict.Unusable;
        }

        var root = document.RootElement;
        var verdict = AnswerVerdict.Unusable;
        if (root.ValueKind == JsonValueKind.Object)
        {
            if (root.TryGetProperty("error"u8, out var error) && error.ValueKind != JsonValueKind.Null)
            {
                verdict = AnswerVerdict.Error;
            }
            else if (root.TryGetProperty("done"u8, out var done) && done.ValueKind == JsonValueKind.True
                && root.TryGetProperty("message"u8, out var message) && message.ValueKind == JsonValueKind.Object
                // What is no text, or no list, could not be passed on, and an answer without it would look whole.
                && JsonText.GetTextOrEmpty(message, "thinking"u8) is { } thinking
                && JsonText.GetTextOrEmpty(message, "content"u8) is { } content
                && (JsonText.IsAbsent(message, "tool_calls"u8) || message.GetProperty("tool_calls"u8).ValueKind == JsonValueKind.Array)
                && JsonText.IsAbsentOrEmpty(message, "images"u8))
            {
                answer = new OllamaAnswer(document, message, thinking, content);
                return AnswerVerdict.Usable;
            }
        }

        document.Dispose();
        return verdict;
    }

    public void Dispose() => _document.Dispose();
}
