using System.Buffers;
using System.Text.Json;
using ProxyGateway.StreamingFallback.ChatFormats.Json;
using ProxyGateway.StreamingFallback.ChatFormats.OpenAIChat;

namespace ProxyGateway.StreamingFallback.ChatFormats.OpenAICompletions;

/// <summary>Makes the <c>text_completion</c> chunks that lead from what was delivered to the end of a whole answer.</summary>
internal readonly ref struct OpenAICompletionsStreamWriter
{
    private readonly IBufferWriter<byte> _output;
    private readonly OpenAIChatReader? _delivered;
    private readonly OpenAIChatAnswer _answer;
    private readonly ChunkIdentity _identity;

    public OpenAICompletionsStreamWriter(OpenAIChatReader? delivered, OpenAIChatAnswer answer, ChatRequest request, IBufferWriter<byte> output)
    {
        _output = output;
        _delivered = delivered;
        _answer = answer;
        _identity = delivered?.Identity ?? new ChunkIdentity();
        _identity.Complete(answer.Root, isFirst: delivered is null, request, "cmpl-gateway");
    }

    public void Write(bool includeUsage)
    {
        foreach (var choice in _answer.Choices)
        {
            var delivered = _delivered?.Choices.FirstOrDefault(c => c.Index == choice.Index);
            if (delivered is not { Finished: true })
            {
                WriteChoice(choice, delivered?.TextOrEmpty(TextChannel.Content).Length ?? 0);
            }
        }

        if (includeUsage && _delivered is not { UsageDelivered: true }
            && _answer.Root.TryGetProperty("usage"u8, out var usage) && usage.ValueKind == JsonValueKind.Object)
        {
            WriteUsage(usage);
        }

        _output.Write("data: [DONE]\n\n"u8);
    }

    private void WriteChoice(AnswerChoice choice, int have)
    {
        // Log probabilities belong to tokens; a rest cut out of the middle of an answer has none that could be joined.
        var logprobs = have == 0 ? choice.Logprobs : null;
        var rest = choice.Texts[(int)TextChannel.Content].AsSpan(have);
        while (!rest.IsEmpty)
        {
            var piece = logprobs is null ? TextPieces.Take(rest) : rest.Length;
            WriteChunk(choice.Index, rest[..piece], null, logprobs);
            rest = rest[piece..];
        }

        WriteChunk(choice.Index, default, choice.FinishReason, null);
    }

    private void WriteChunk(int index, ReadOnlySpan<byte> text, byte[]? finishReason, JsonElement? logprobs)
    {
        using var chunk = BeginChunk();
        chunk.WriteStartObject();
        chunk.WriteString("text"u8, text);
        chunk.WriteNumber("index"u8, index);
        chunk.WritePropertyName("logprobs"u8);
        if (logprobs is { } value)
        {
            value.WriteTo(chunk);
        }
        else
        {
            chunk.WriteNullValue();
        }

        if (finishReason is null)
        {
            chunk.WriteNull("finish_reason"u8);
        }
        else
        {
            chunk.WriteString("finish_reason"u8, finishReason);
        }

        chunk.WriteEndObject();
        chunk.WriteEndArray();
        EndChunk(chunk);
    }

    private void WriteUsage(JsonElement usage)
    {
        using var chunk = BeginChunk();
        chunk.WriteEndArray();
        chunk.WritePropertyName("usage"u8);
        usage.WriteTo(chunk);
        EndChunk(chunk);
    }

    /// <summary>Opens a chunk up to and with the bracket of its choices.</summary>
    private Utf8JsonWriter BeginChunk()
    {
        _output.Write("data: "u8);
        var chunk = new Utf8JsonWriter(_output, JsonText.WriterOptions);
        chunk.WriteStartObject();
        _identity.Write(chunk, "text_completion"u8);
        chunk.WriteStartArray("choices"u8);
        return chunk;
    }

    private void EndChunk(Utf8JsonWriter chunk)
    {
        chunk.WriteEndObject();
        chunk.Flush();
        _output.Write("\n\n"u8);
    }
}
