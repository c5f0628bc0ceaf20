using System.Buffers;
using System.Text;
using System.Text.Json;
using ProxyGateway.StreamingFallback.ChatFormats.Json;

namespace ProxyGateway.StreamingFallback.ChatFormats.OpenAIChat;

/// <summary>Makes the chunks that lead from what was delivered to the end of a whole answer.</summary>
internal ref struct OpenAIChatStreamWriter
{
    private readonly IBufferWriter<byte> _output;
    private readonly OpenAIChatReader? _delivered;
    private readonly OpenAIChatAnswer _answer;
    private readonly ChunkIdentity _identity;

    public OpenAIChatStreamWriter(OpenAIChatReader? delivered, OpenAIChatAnswer answer, ChatRequest request, IBufferWriter<byte> output)
    {
        _output = output;
        _delivered = delivered;
        _answer = answer;
        _identity = delivered?.Identity ?? new ChunkIdentity();
        _identity.Complete(answer.Root, isFirst: delivered is null, request, "chatcmpl-gateway");
    }

    public readonly void Write(bool includeUsage)
    {
        foreach (var choice in _answer.Choices)
        {
            var delivered = _delivered?.Choices.FirstOrDefault(c => c.Index == choice.Index);
            if (delivered is not { Finished: true })
            {
                WriteChoice(choice, delivered);
            }
        }

        if (includeUsage && _delivered is not { UsageDelivered: true }
            && _answer.Root.TryGetProperty("usage"u8, out var usage) && usage.ValueKind == JsonValueKind.Object)
        {
            WriteUsage(usage);
        }

        _output.Write("data: [DONE]\n\n"u8);
    }

    private readonly void WriteChoice(AnswerChoice choice, DeliveredChoice? delivered)
    {
        if (delivered is null)
        {
            using var role = Begin(choice.Index);
            role.WriteString("role"u8, "assistant"u8);
            role.WriteString("content"u8, ""u8);
            End(role, null, null);
        }

        for (var channel = 0; channel < DeliveredChoice.ChannelCount; channel++)
        {
            var have = delivered is null ? 0 : delivered.TextOrEmpty((TextChannel)channel).Length;
            // Log probabilities belong to tokens; a rest cut out of the middle of an answer has none that could be joined.
            var logprobs = have == 0 && channel == (int)TextChannel.Content ? choice.Logprobs : null;
            WriteText(choice.Index, (TextChannel)channel, choice.Texts[channel].AsSpan(have), logprobs);
        }

        WriteToolCalls(choice, delivered);
        using var finish = Begin(choice.Index);
        End(finish, choice.FinishReason, null);
    }

    private readonly void WriteText(int index, TextChannel channel, ReadOnlySpan<byte> rest, JsonElement? logprobs)
    {
        while (!rest.IsEmpty)
        {
            var piece = logprobs is null ? TextPieces.Take(rest) : rest.Length;
            using var delta = Begin(index);
            delta.WriteString(Name(channel), rest[..piece]);
            End(delta, null, logprobs);
            rest = rest[piece..];
        }
    }

    private readonly void WriteToolCalls(AnswerChoice choice, DeliveredChoice? delivered)
    {
        var have = delivered?.ToolCalls.Count ?? 0;
        var nextIndex = 0;
        for (var i = 0; i < choice.ToolCalls.Count; i++)
        {
            var call = choice.ToolCalls[i];
            var open = i < have ? delivered!.ToolCalls[i] : null;
            var rest = call.Arguments.AsSpan(open?.Arguments.Length ?? 0);
            var index = open?.Index ?? nextIndex;
            nextIndex = Math.Max(nextIndex, index + 1);
            if (open is not null && rest.IsEmpty)
            {
                continue;
            }

            using var delta = Begin(choice.Index);
            if (call.IsLegacy)
            {
                delta.WriteStartObject("function_call"u8);
                WriteFunction(delta, call, open, rest);
                End(delta, null, null);
                continue;
            }

            delta.WriteStartArray("tool_calls"u8);
            delta.WriteStartObject();
            delta.WriteNumber("index"u8, index);
            if (open is null)
            {
                delta.WriteString("id"u8, call.Id ?? Encoding.UTF8.GetBytes($"call_{choice.Index}_{index}"));
                delta.WriteString("type"u8, "function"u8);
            }

            delta.WriteStartObject("function"u8);
            WriteFunction(delta, call, open, rest);
            delta.WriteEndObject();
            delta.WriteEndArray();
            End(delta, null, null);
        }
    }

    private static void WriteFunction(Utf8JsonWriter delta, AnswerToolCall call, DeliveredToolCall? open, ReadOnlySpan<byte> rest)
    {
        if (open is null)
        {
            delta.WriteString("name"u8, call.Name);
        }

        delta.WriteString("arguments"u8, rest);
        delta.WriteEndObject();
    }

    private readonly void WriteUsage(JsonElement usage)
    {
        using var chunk = BeginChunk();
        chunk.WriteStartArray("choices"u8);
        chunk.WriteEndArray();
        chunk.WritePropertyName("usage"u8);
        usage.WriteTo(chunk);
        EndChunk(chunk);
    }

    /// <summary>Opens a chunk up to and with its delta's brace.</summary>
    private readonly Utf8JsonWriter Begin(int index)
    {
        var chunk = BeginChunk();
        chunk.WriteStartArray("choices"u8);
        chunk.WriteStartObject();
        chunk.WriteNumber("index"u8, index);
        chunk.WriteStartObject("delta"u8);
        return chunk;
    }

    private readonly void End(Utf8JsonWriter chunk, byte[]? finishReason, JsonElement? logprobs)
    {
        chunk.WriteEndObject();
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

    private readonly Utf8JsonWriter BeginChunk()
    {
        _output.Write("data: "u8);
        var chunk = new Utf8JsonWriter(_output, JsonText.WriterOptions);
        chunk.WriteStartObject();
        _identity.Write(chunk, "chat.completion.chunk"u8);
        return chunk;
    }

    private readonly void EndChunk(Utf8JsonWriter chunk)
    {
        chunk.WriteEndObject();
        chunk.Flush();
        _output.Write("\n\n"u8);
    }

    private static ReadOnlySpan<byte> Name(TextChannel channel) => channel switch
    {
        TextChannel.ReasoningContent => "reasoning_content"u8,
        TextChannel.Reasoning => "reasoning"u8,
        TextChannel.Refusal => "refusal"u8,
        _ => "content"u8,
    };
}
