using System.Buffers;
using System.Text.Json;
using ProxyGateway.StreamingFallback.ChatFormats.Json;

namespace ProxyGateway.StreamingFallback.ChatFormats.Gemini;

/// <summary>Makes the events that lead from what was delivered to the end of a whole answer.</summary>
internal readonly ref struct GeminiStreamWriter
{
    private readonly IBufferWriter<byte> _output;
    private readonly GeminiReader? _delivered;
    private readonly GeminiAnswer _answer;
    private readonly byte[]? _responseId;
    private readonly byte[]? _modelVersion;

    public GeminiStreamWriter(GeminiReader? delivered, GeminiAnswer answer, IBufferWriter<byte> output)
    {
        _output = output;
        _delivered = delivered;
        _answer = answer;
        _responseId = delivered?.ResponseId ?? RawJson.Scalar(answer.Root, "responseId"u8);
        _modelVersion = delivered?.ModelVersion ?? RawJson.Scalar(answer.Root, "modelVersion"u8);
    }

    public void Write()
    {
        if (_answer.Candidates.Count == 0)
        {
            WriteRefusal();
            return;
        }

        var missing = new List<(AnswerCandidate Candidate, DeliveredCandidate? Delivered)>();
        foreach (var candidate in _answer.Candidates)
        {
            var delivered = _delivered?.Candidates.Find(c => c.Index == candidate.Index);
            if (delivered is not { Finished: true })
            {
                missing.Add((candidate, delivered));
            }
        }

        foreach (var (candidate, delivered) in missing)
        {
            WriteBlocks(candidate, delivered);
            WriteFinish(candidate, isLast: candidate == missing[^1].Candidate);
        }
    }

    /// <summary>An answer to a refused prompt is one event: the answer.</summary>
    private void WriteRefusal()
    {
        _output.Write("data: "u8);
        using var refusal = new Utf8JsonWriter(_output, JsonText.WriterOptions);
        _answer.Root.WriteTo(refusal);
        refusal.Flush();
        _output.Write("\r\n\r\n"u8);
    }

    private void WriteBlocks(AnswerCandidate candidate, DeliveredCandidate? delivered)
    {
        var have = delivered?.Blocks.Count ?? 0;
        for (var i = Math.Max(have - 1, 0); i < candidate.Blocks.Count; i++)
        {
            var block = candidate.Blocks[i];
            var begun = i < have ? delivered!.Blocks[i] : null;
            if (block.Kind is BlockKind.Text or BlockKind.Thought)
            {
                WriteText(candidate.Index, block, block.Text.AsSpan(begun?.Text.Length ?? 0));
            }
            else if (begun is null)
            {
                using var e = Begin(candidate.Index);
                block.Part.WriteTo(e);
                End(e);
            }

            if (block.Signature is { } signature && begun is not { HasSignature: true })
            {
                using var e = Begin(candidate.Index);
                e.WriteStartObject();
                e.WriteString("text"u8, ""u8);
                e.WritePropertyName("thoughtSignature"u8);
                signature.WriteTo(e);
                e.WriteEndObject();
                End(e);
            }
        }
    }

    private void WriteText(int index, AnswerBlock block, ReadOnlySpan<byte> rest)
    {
        while (!rest.IsEmpty)
        {
            var piece = TextPieces.Take(rest);
            using var e = Begin(index);
            e.WriteStartObject();
            e.WriteString("text"u8, rest[..piece]);
            if (block.Kind == BlockKind.Thought)
            {
                e.WriteBoolean("thought"u8, true);
            }

            e.WriteEndObject();
            End(e);
            rest = rest[piece..];
        }
    }

    private void WriteFinish(AnswerCandidate candidate, bool isLast)
    {
        using var e = Begin(candidate.Index);
        e.WriteStartObject();
        e.WriteString("text"u8, ""u8);
        e.WriteEndObject();
        CloseContent(e);
        RawJson.WriteOtherMembers(e, candidate.Element, static m => m.NameEquals("content"u8) || m.NameEquals("index"u8));
        CloseCandidate(e);
        if (isLast)
        {
            RawJson.WriteOtherMembers(e, _answer.Root, static m =>
                m.NameEquals("candidates"u8) || m.NameEquals("responseId"u8) || m.NameEquals("modelVersion"u8) || m.NameEquals("error"u8));
        }

        Close(e);
    }

    /// <summary>Opens an event up to and with the bracket of its parts.</summary>
    private Utf8JsonWriter Begin(int index)
    {
        _output.Write("data: "u8);
        var e = new Utf8JsonWriter(_output, JsonText.WriterOptions);
        e.WriteStartObject();
        e.WriteStartArray("candidates"u8);
        e.WriteStartObject();
        e.WriteNumber("index"u8, index);
        e.WriteStartObject("content"u8);
        e.WriteStartArray("parts"u8);
        return e;
    }

    private static void CloseContent(Utf8JsonWriter e)
    {
        e.WriteEndArray();
        e.WriteString("role"u8, "model"u8);
        e.WriteEndObject();
    }

    private static void CloseCandidate(Utf8JsonWriter e)
    {
        e.WriteEndObject();
        e.WriteEndArray();
    }

    private void End(Utf8JsonWriter e)
    {
        CloseContent(e);
        CloseCandidate(e);
        Close(e);
    }

    private void Close(Utf8JsonWriter e)
    {
        WriteIdentity(e, "modelVersion"u8, _modelVersion);
        WriteIdentity(e, "responseId"u8, _responseId);
        e.WriteEndObject();
        e.Flush();
        _output.Write("\r\n\r\n"u8);
    }

    private static void WriteIdentity(Utf8JsonWriter e, ReadOnlySpan<byte> name, byte[]? value)
    {
        if (value is not null)
        {
            e.WritePropertyName(name);
            RawJson.Write(e, value);
        }
    }
}
