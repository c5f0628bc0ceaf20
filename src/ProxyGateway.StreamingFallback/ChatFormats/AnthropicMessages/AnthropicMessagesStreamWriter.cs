using System.Buffers;
using System.Runtime.InteropServices;
using System.Text.Json;
using ProxyGateway.StreamingFallback.ChatFormats.Json;

namespace ProxyGateway.StreamingFallback.ChatFormats.AnthropicMessages;

/// <summary>Makes the events that lead from what was delivered to the end of a whole answer.</summary>
internal sealed class AnthropicMessagesStreamWriter(AnthropicMessagesAnswer answer, IBufferWriter<byte> output)
{
    /// <summary>Members that a stream tells at its end or in events of their own.</summary>
    private static readonly string[] NotInStart = ["content", "stop_reason", "stop_sequence", "stop_details", "usage", "container", "context_management"];

    /// <summary>Members of the usage that count what is not yet there when a message starts.</summary>
    private static readonly string[] NotInStartUsage = ["output_tokens", "output_tokens_details", "server_tool_use", "iterations"];

    private ToolIds _ids = new();

    /// <summary>The whole message as a stream.</summary>
    public void WriteWhole(string? requestedModel)
    {
        WriteMessageStart(requestedModel);
        for (var i = 0; i < answer.Blocks.Count; i++)
        {
            WriteBlock(i, answer.Blocks[i]);
        }

        WriteMessageDelta();
        WriteMessageStop(output);
    }

    /// <summary>What a client lacks that has <paramref name="delivered"/>.</summary>
    public void WriteRest(AnthropicMessagesReader delivered, AnthropicMessagesSplice splice)
    {
        _ids = splice.Ids;
        foreach (var open in splice.Open)
        {
            if (open.Whole is { } whole)
            {
                WriteContent(open.Block.Index, whole, open.Rest, open.Block.Citations.Count);
            }

            WriteBlockStop(open.Block.Index);
        }

        var index = delivered.Message.NextIndex;
        for (var i = splice.NextBlock; i < answer.Blocks.Count; i++)
        {
            WriteBlock(index++, answer.Blocks[i]);
        }

        if (!delivered.StopDelivered)
        {
            WriteMessageDelta();
        }

        WriteMessageStop(output);
    }

    public static void WriteMessageStop(IBufferWriter<byte> output) =>
        output.Write("event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n"u8);

    private void WriteMessageStart(string? requestedModel)
    {
        using var e = Begin("message_start"u8);
        e.WriteStartObject("message"u8);
        WriteIfAbsent(e, "id"u8, "msg_gateway");
        WriteIfAbsent(e, "type"u8, "message");
        WriteIfAbsent(e, "role"u8, "assistant");
        WriteIfAbsent(e, "model"u8, requestedModel ?? "");
        WriteMembers(e, answer.Root, NotInStart);
        e.WriteStartArray("content"u8);
        e.WriteEndArray();
        e.WriteNull("stop_reason"u8);
        e.WriteNull("stop_sequence"u8);
        e.WriteStartObject("usage"u8);
        if (TryGetUsage(out var usage))
        {
            WriteMembers(e, usage, NotInStartUsage);
        }
        else
        {
            e.WriteNumber("input_tokens"u8, 0);
        }

        // Clients add the two usages of a stream up, so the output is counted at the end only.
        e.WriteNumber("output_tokens"u8, 0);
        e.WriteEndObject();
        e.WriteEndObject();
        End(e);
    }

    private void WriteMessageDelta()
    {
        using var e = Begin("message_delta"u8);
        e.WriteStartObject("delta"u8);
        Copy(e, "stop_reason"u8, orNull: true);
        Copy(e, "stop_sequence"u8, orNull: true);
        Copy(e, "stop_details"u8, orNull: false);
        Copy(e, "container"u8, orNull: false);
        e.WriteEndObject();
        e.WritePropertyName("usage"u8);
        if (TryGetUsage(out var usage))
        {
            usage.WriteTo(e);
        }
        else
        {
            e.WriteStartObject();
            e.WriteNumber("output_tokens"u8, 0);
            e.WriteEndObject();
        }

        Copy(e, "context_management"u8, orNull: false);
        End(e);
    }

    private void WriteBlock(int index, AnswerBlock block)
    {
        using (var start = Begin("content_block_start"u8, index))
        {
            start.WriteStartObject("content_block"u8);
            WriteBlockMembers(start, index, block);
            start.WriteEndObject();
            End(start);
        }

        var rest = block.Kind == BlockKind.Tool ? JsonMarshal.GetRawUtf8Value(block.Input).ToArray() : block.Text;
        WriteContent(index, block, rest, 0);
        WriteBlockStop(index);
    }

    /// <summary>The block as it is before its first delta.</summary>
    private void WriteBlockMembers(Utf8JsonWriter start, int index, AnswerBlock block)
    {
        if (block.Kind == BlockKind.Tool && !block.Element.TryGetProperty("id"u8, out _))
        {
            start.WriteString("id"u8, $"toolu_gateway_{index}");
        }

        foreach (var member in block.Element.EnumerateObject())
        {
            start.WritePropertyName(member.Name);
            switch (block.Kind)
            {
                case BlockKind.Text when member.NameEquals("text"u8):
                case BlockKind.Thinking when member.NameEquals("thinking"u8) || member.NameEquals("signature"u8):
                    start.WriteStringValue(""u8);
                    break;
                case BlockKind.Text when member.NameEquals("citations"u8) && member.Value.ValueKind == JsonValueKind.Array:
                    start.WriteStartArray();
                    start.WriteEndArray();
                    break;
                case BlockKind.Tool when member.NameEquals("input"u8):
                    start.WriteStartObject();
                    start.WriteEndObject();
                    break;
                case BlockKind.Tool when member.NameEquals("id"u8) && block.Id is null:
                    start.WriteStringValue($"toolu_gateway_{index}");
                    break;
                case BlockKind.Compaction when member.NameEquals("content"u8) || member.NameEquals("encrypted_content"u8):
                    start.WriteNullValue();
                    break;
                default:
                    _ids.WriteMember(start, member);
                    break;
            }
        }
    }

    /// <summary>The deltas of a block from <paramref name="rest"/> on.</summary>
    private void WriteContent(int index, AnswerBlock block, ReadOnlySpan<byte> rest, int citationsDelivered)
    {
        switch (block.Kind)
        {
            case BlockKind.Text:
                WriteText(index, "text_delta"u8, "text"u8, rest);
                foreach (var citation in block.Citations.Skip(citationsDelivered))
                {
                    using var e = BeginDelta(index, "citations_delta"u8);
                    e.WritePropertyName("citation"u8);
                    _ids.Write(e, citation);
                    EndDelta(e);
                }

                break;
            case BlockKind.Thinking:
                WriteText(index, "thinking_delta"u8, "thinking"u8, rest);
                if (JsonText.GetUtf8(block.Element, "signature"u8) is { Length: > 0 } signature)
                {
                    WriteDelta(index, "signature_delta"u8, "signature"u8, signature);
                }

                break;
            case BlockKind.Tool when !rest.IsEmpty:
                WriteDelta(index, "input_json_delta"u8, "partial_json"u8, rest);
                break;
            case BlockKind.Compaction when !rest.IsEmpty:
                using (var e = BeginDelta(index, "compaction_delta"u8))
                {
                    e.WriteString("content"u8, rest);
                    if (block.Element.TryGetProperty("encrypted_content"u8, out var encrypted))
                    {
                        e.WritePropertyName("encrypted_content"u8);
                        encrypted.WriteTo(e);
                    }

                    EndDelta(e);
                }

                break;
        }
    }

    private void WriteText(int index, ReadOnlySpan<byte> type, ReadOnlySpan<byte> member, ReadOnlySpan<byte> rest)
    {
        while (!rest.IsEmpty)
        {
            var piece = TextPieces.Take(rest);
            WriteDelta(index, type, member, rest[..piece]);
            rest = rest[piece..];
        }
    }

    private void WriteDelta(int index, ReadOnlySpan<byte> type, ReadOnlySpan<byte> member, ReadOnlySpan<byte> text)
    {
        using var e = BeginDelta(index, type);
        e.WriteString(member, text);
        EndDelta(e);
    }

    private void WriteBlockStop(int index)
    {
        using var e = Begin("content_block_stop"u8, index);
        End(e);
    }

    private Utf8JsonWriter BeginDelta(int index, ReadOnlySpan<byte> type)
    {
        var e = Begin("content_block_delta"u8, index);
        e.WriteStartObject("delta"u8);
        e.WriteString("type"u8, type);
        return e;
    }

    private void EndDelta(Utf8JsonWriter e)
    {
        e.WriteEndObject();
        End(e);
    }

    private Utf8JsonWriter Begin(ReadOnlySpan<byte> type, int index)
    {
        var e = Begin(type);
        e.WriteNumber("index"u8, index);
        return e;
    }

    private Utf8JsonWriter Begin(ReadOnlySpan<byte> type)
    {
        output.Write("event: "u8);
        output.Write(type);
        output.Write("\ndata: "u8);
        var e = new Utf8JsonWriter(output, JsonText.WriterOptions);
        e.WriteStartObject();
        e.WriteString("type"u8, type);
        return e;
    }

    private void End(Utf8JsonWriter e)
    {
        e.WriteEndObject();
        e.Flush();
        output.Write("\n\n"u8);
    }

    private bool TryGetUsage(out JsonElement usage) =>
        answer.Root.TryGetProperty("usage"u8, out usage) && usage.ValueKind == JsonValueKind.Object;

    private void WriteIfAbsent(Utf8JsonWriter e, ReadOnlySpan<byte> member, string value)
    {
        if (!answer.Root.TryGetProperty(member, out _))
        {
            e.WriteString(member, value);
        }
    }

    private static void WriteMembers(Utf8JsonWriter e, JsonElement parent, string[] except)
    {
        foreach (var member in parent.EnumerateObject())
        {
            if (Array.IndexOf(except, member.Name) < 0)
            {
                member.WriteTo(e);
            }
        }
    }

    private void Copy(Utf8JsonWriter e, ReadOnlySpan<byte> member, bool orNull)
    {
        if (answer.Root.TryGetProperty(member, out var value))
        {
            e.WritePropertyName(member);
            value.WriteTo(e);
        }
        else if (orNull)
        {
            e.WriteNull(member);
        }
    }
}
