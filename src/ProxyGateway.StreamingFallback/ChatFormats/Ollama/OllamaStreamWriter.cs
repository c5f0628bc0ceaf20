using System.Buffers;
using System.Text.Json;
using ProxyGateway.StreamingFallback.ChatFormats.Json;

namespace ProxyGateway.StreamingFallback.ChatFormats.Ollama;

/// <summary>Makes the lines that lead from what was delivered to the end of a whole answer.</summary>
internal readonly ref struct OllamaStreamWriter
{
    private readonly IBufferWriter<byte> _output;
    private readonly OllamaReader? _delivered;
    private readonly OllamaAnswer _answer;
    private readonly byte[] _model;
    private readonly byte[]? _createdAt;

    public OllamaStreamWriter(OllamaReader? delivered, OllamaAnswer answer, ChatRequest request, IBufferWriter<byte> output)
    {
        _output = output;
        _delivered = delivered;
        _answer = answer;
        _model = delivered?.Model ?? RawJson.Scalar(answer.Root, "model"u8) ?? BodyEdits.Quote(request.Model ?? "");
        // Every line of a stream has its own time; the answer's is the later one.
        _createdAt = RawJson.Scalar(answer.Root, "created_at"u8) ?? delivered?.CreatedAt;
    }

    public void Write()
    {
        WriteText("thinking"u8, _answer.Thinking.AsSpan(_delivered?.Thinking.Length ?? 0));
        WriteText("content"u8, _answer.Content.AsSpan(_delivered?.Content.Length ?? 0));
        WriteToolCalls(_delivered?.ToolCalls.Count ?? 0);
        WriteLast();
    }

    /// <summary>A line that says nothing.</summary>
    public static void WriteEmptyLine(byte[] model, byte[]? createdAt, IBufferWriter<byte> output)
    {
        using var line = Begin(model, createdAt, output);
        line.WriteString("content"u8, ""u8);
        End(line, output);
    }

    private void WriteText(ReadOnlySpan<byte> member, ReadOnlySpan<byte> rest)
    {
        while (!rest.IsEmpty)
        {
            var piece = TextPieces.Take(rest);
            using var line = Begin(_model, _createdAt, _output);
            if (!member.SequenceEqual("content"u8))
            {
                line.WriteString("content"u8, ""u8);
            }

            line.WriteString(member, rest[..piece]);
            End(line, _output);
            rest = rest[piece..];
        }
    }

    private void WriteToolCalls(int have)
    {
        if (have == _answer.ToolCalls.Count)
        {
            return;
        }

        using var line = Begin(_model, _createdAt, _output);
        line.WriteString("content"u8, ""u8);
        line.WriteStartArray("tool_calls"u8);
        for (var i = have; i < _answer.ToolCalls.Count; i++)
        {
            _answer.ToolCalls[i].WriteTo(line);
        }

        line.WriteEndArray();
        End(line, _output);
    }

    /// <summary>The answer itself without what was told before: its statistics and its reason.</summary>
    private void WriteLast()
    {
        using var line = Begin(_model, _createdAt, _output);
        line.WriteString("content"u8, ""u8);
        RawJson.WriteOtherMembers(line, _answer.Message, static m =>
            m.NameEquals("role"u8) || m.NameEquals("content"u8) || m.NameEquals("thinking"u8) || m.NameEquals("tool_calls"u8));
        line.WriteEndObject();
        RawJson.WriteOtherMembers(line, _answer.Root, static m =>
            m.NameEquals("model"u8) || m.NameEquals("created_at"u8) || m.NameEquals("message"u8) || m.NameEquals("error"u8));
        line.WriteEndObject();
        line.Flush();
        _output.Write("\n"u8);
    }

    /// <summary>Opens a line up to and with its message's role.</summary>
    private static Utf8JsonWriter Begin(byte[] model, byte[]? createdAt, IBufferWriter<byte> output)
    {
        var line = new Utf8JsonWriter(output, JsonText.WriterOptions);
        line.WriteStartObject();
        line.WritePropertyName("model"u8);
        RawJson.Write(line, model);
        line.WritePropertyName("created_at"u8);
        // Strict clients require a time that can be read; the epoch stands for one that is not known.
        RawJson.Write(line, createdAt ?? "\"1970-01-01T00:00:00Z\""u8);
        line.WriteStartObject("message"u8);
        line.WriteString("role"u8, "assistant"u8);
        return line;
    }

    private static void End(Utf8JsonWriter line, IBufferWriter<byte> output)
    {
        line.WriteEndObject();
        line.WriteBoolean("done"u8, false);
        line.WriteEndObject();
        line.Flush();
        output.Write("\n"u8);
    }
}
