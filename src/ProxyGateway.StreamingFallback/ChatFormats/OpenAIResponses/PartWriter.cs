using System.Text.Json;
using ProxyGateway.StreamingFallback.ChatFormats.Json;

namespace ProxyGateway.StreamingFallback.ChatFormats.OpenAIResponses;

/// <summary>Writes what an item's parts still lack.</summary>
internal readonly struct PartWriter(OpenAIResponsesStreamWriter events, int outputIndex)
{
    public void Write(JsonElement[] parts, bool isSummary, DeliveredItem? delivered)
    {
        for (var i = 0; i < parts.Length; i++)
        {
            if (ItemText.PartKindOf(parts[i]) is { } kind)
            {
                Write(parts[i], kind, i, delivered?.Find(kind, i));
            }
            else
            {
                // Of a kind that has no deltas: it comes at once.
                WriteFrame("added", isSummary, i, parts[i], null);
                WriteFrame("done", isSummary, i, parts[i], null);
            }
        }
    }

    private void Write(JsonElement part, PartKind kind, int index, DeliveredPart? delivered)
    {
        var isSummary = kind == PartKind.SummaryText;
        var text = ItemText.Of(part, kind)!;
        var logprobs = JsonMembers.Array(part, "logprobs");
        if (delivered is null)
        {
            WriteFrame("added", isSummary, index, null, kind);
        }

        WriteDeltas(kind, index, text.AsSpan(delivered?.Text.Length ?? 0), delivered is null ? logprobs : []);
        if (kind == PartKind.OutputText)
        {
            WriteAnnotations(index, JsonMembers.Array(part, "annotations"), delivered?.Annotations.Count ?? 0);
        }

        if (delivered is not { TextDone: true })
        {
            using var done = Begin($"{Name(kind)}.done", isSummary, index);
            done.WriteString(kind == PartKind.Refusal ? "refusal"u8 : "text"u8, text);
            if (kind == PartKind.OutputText)
            {
                WriteLogprobs(done, logprobs);
            }

            events.End(done);
        }

        if (delivered is null or { Announced: true, Done: false })
        {
            WriteFrame("done", isSummary, index, part, null);
        }
    }

    private void WriteDeltas(PartKind kind, int index, ReadOnlySpan<byte> rest, JsonElement[] logprobs)
    {
        while (!rest.IsEmpty)
        {
            // Log probabilities belong to tokens; a rest cut out of the middle of an answer has none that could be joined.
            var piece = logprobs.Length > 0 ? rest.Length : TextPieces.Take(rest);
            using var delta = Begin($"{Name(kind)}.delta", kind == PartKind.SummaryText, index);
            delta.WriteString("delta"u8, rest[..piece]);
            if (kind == PartKind.OutputText)
            {
                WriteLogprobs(delta, logprobs);
            }

            events.End(delta);
            rest = rest[piece..];
        }
    }

    private void WriteAnnotations(int index, JsonElement[] annotations, int have)
    {
        for (var i = have; i < annotations.Length; i++)
        {
            using var added = Begin("response.output_text.annotation.added", isSummary: false, index);
            added.WriteNumber("annotation_index"u8, i);
            added.WritePropertyName("annotation"u8);
            annotations[i].WriteTo(added);
            events.End(added);
        }
    }

    /// <summary>Opens or closes a part: with <paramref name="part"/> as it stands in the answer, or empty, of <paramref name="kind"/>.</summary>
    private void WriteFrame(string what, bool isSummary, int index, JsonElement? part, PartKind? kind)
    {
        using var frame = Begin(isSummary ? $"response.reasoning_summary_part.{what}" : $"response.content_part.{what}", isSummary, index);
        frame.WritePropertyName("part"u8);
        if (part is { } whole)
        {
            whole.WriteTo(frame);
        }
        else
        {
            WriteEmpty(frame, kind!.Value);
        }

        events.End(frame);
    }

    private static void WriteEmpty(Utf8JsonWriter frame, PartKind kind)
    {
        frame.WriteStartObject();
        frame.WriteString("type"u8, kind switch
        {
            PartKind.OutputText => "output_text"u8,
            PartKind.Refusal => "refusal"u8,
            PartKind.ReasoningText => "reasoning_text"u8,
            _ => "summary_text"u8,
        });
        if (kind == PartKind.OutputText)
        {
            frame.WriteStartArray("annotations"u8);
            frame.WriteEndArray();
            WriteLogprobs(frame, []);
        }

        frame.WriteString(kind == PartKind.Refusal ? "refusal"u8 : "text"u8, ""u8);
        frame.WriteEndObject();
    }

    private static void WriteLogprobs(Utf8JsonWriter writer, JsonElement[] logprobs)
    {
        writer.WriteStartArray("logprobs"u8);
        foreach (var entry in logprobs)
        {
            entry.WriteTo(writer);
        }

        writer.WriteEndArray();
    }

    private Utf8JsonWriter Begin(string type, bool isSummary, int index)
    {
        var writer = events.BeginOf(System.Text.Encoding.UTF8.GetBytes(type), outputIndex);
        writer.WriteNumber(isSummary ? "summary_index"u8 : "content_index"u8, index);
        return writer;
    }

    public static string Name(PartKind kind) => kind switch
    {
        PartKind.OutputText => "response.output_text",
        PartKind.Refusal => "response.refusal",
        PartKind.ReasoningText => "response.reasoning_text",
        _ => "response.reasoning_summary_text",
    };
}
