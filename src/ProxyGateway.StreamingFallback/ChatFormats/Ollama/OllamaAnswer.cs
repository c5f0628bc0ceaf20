using System.Text.Json;
using ProxyGateway.StreamingFallback.ChatFormats.Json;

namespace ProxyGateway.StreamingFallback.ChatFormats.Ollama;

/// <summary>A whole Ollama chat answer, checked once so that what is made of it needs no further doubt.</summary>
internal sealed class OllamaAnswer : IDisposable
{
    private readonly JsonDocument _document;

    private OllamaAnswer(JsonDocument document, JsonElement message)
    {
        _document = document;
        Message = message;
        Thinking = JsonText.GetUtf8(message, "thinking"u8) ?? [];
        Content = JsonText.GetUtf8(message, "content"u8) ?? [];
        ToolCalls = message.TryGetProperty("tool_calls"u8, out var calls) && calls.ValueKind == JsonValueKind.Array ? [.. calls.EnumerateArray()] : [];
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
                && root.TryGetProperty("message"u8, out var message) && message.ValueKind == JsonValueKind.Object)
            {
                answer = new OllamaAnswer(document, message);
                return AnswerVerdict.Usable;
            }
        }

        document.Dispose();
        return verdict;
    }

    public void Dispose() => _document.Dispose();
}
