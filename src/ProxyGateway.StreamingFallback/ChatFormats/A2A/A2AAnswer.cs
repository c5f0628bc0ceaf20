using System.Text.Json;
using ProxyGateway.StreamingFallback.ChatFormats.Json;

namespace ProxyGateway.StreamingFallback.ChatFormats.A2A;

/// <summary>A whole answer to <c>message/send</c> or <c>tasks/get</c>, checked once so that what is made of it needs no further doubt.</summary>
internal sealed class A2AAnswer : IDisposable
{
    private readonly JsonDocument _document;

    private A2AAnswer(JsonDocument document, JsonElement result, bool isMessage)
    {
        _document = document;
        Result = result;
        IsMessage = isMessage;
        Artifacts = !isMessage && result.TryGetProperty("artifacts"u8, out var array) && array.ValueKind == JsonValueKind.Array
            ? [.. array.EnumerateArray().Select(static a => new AnswerArtifact(a))]
            : [];
    }

    /// <summary>The message or the task.</summary>
    public JsonElement Result { get; }

    public bool IsMessage { get; }

    public IReadOnlyList<AnswerArtifact> Artifacts { get; }

    /// <summary>Reads <paramref name="json"/>; the answer is null unless the verdict is <see cref="AnswerVerdict.Usable"/>.</summary>
    public static AnswerVerdict Read(ReadOnlyMemory<byte> json, out A2AAnswer? answer)
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
            else if (root.TryGetProperty("result"u8, out var result) && result.ValueKind == JsonValueKind.Object && IsComplete(result, out var isMessage))
            {
                answer = new A2AAnswer(document, result, isMessage);
                return AnswerVerdict.Usable;
            }
        }

        document.Dispose();
        return verdict;
    }

    public void Dispose() => _document.Dispose();

    private static bool IsComplete(JsonElement result, out bool isMessage)
    {
        var kind = JsonText.GetUtf8(result, "kind"u8);
        isMessage = kind.AsSpan().SequenceEqual("message"u8);
        return isMessage
            || (kind.AsSpan().SequenceEqual("task"u8)
                && result.TryGetProperty("status"u8, out var status) && status.ValueKind == JsonValueKind.Object
                && status.TryGetProperty("state"u8, out var state) && state.ValueKind == JsonValueKind.String
                && TaskStates.EndsAnswer(state.GetString()));
    }
}

/// <summary>One artifact of a whole answer.</summary>
internal sealed class AnswerArtifact
{
    public AnswerArtifact(JsonElement element)
    {
        Element = element;
        Text = TryJoin(element);
    }

    public JsonElement Element { get; }

    /// <summary>Its text parts, joined; null where it has parts that are more than text and cannot be cut.</summary>
    public byte[]? Text { get; }

    private static byte[]? TryJoin(JsonElement artifact)
    {
        if (artifact.ValueKind != JsonValueKind.Object || !artifact.TryGetProperty("parts"u8, out var parts) || parts.ValueKind != JsonValueKind.Array)
        {
            return null;
        }

        byte[] all = [];
        foreach (var part in parts.EnumerateArray())
        {
            if (JsonText.GetUtf8(part, "text"u8) is not { } text
                || part.EnumerateObject().Any(static m => !m.NameEquals("kind"u8) && !m.NameEquals("text"u8)))
            {
                return null;
            }

            all = [.. all, .. text];
        }

        return all;
    }
}
