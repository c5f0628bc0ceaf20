using System.Buffers;
using System.Text;
using System.Text.Json;

namespace ProxyGateway.StreamingFallback.ChatFormats.OpenAIResponses;

/// <summary>A delta without text, for what is open in a stream: an event that every client knows and that changes nothing.</summary>
internal sealed record EmptyDelta(string Type, string ItemId, int OutputIndex, PartKind? Part, int PartIndex)
{
    /// <summary>Null where nothing is open that has deltas, or its id is not known.</summary>
    public static EmptyDelta? For(ResponseLedger ledger)
    {
        if (ledger.Items is not [.., { Done: false, Added: { } added } item])
        {
            return null;
        }

        using var document = JsonDocument.Parse(added);
        if (JsonMembers.Text(document.RootElement, "id") is not { } id)
        {
            return null;
        }

        return item switch
        {
            { Kind: ItemKind.FunctionCall, InputDone: false } => new("response.function_call_arguments.delta", id, item.OutputIndex, null, 0),
            { Kind: ItemKind.CustomToolCall, InputDone: false } => new("response.custom_tool_call_input.delta", id, item.OutputIndex, null, 0),
            { Parts: [.., { Announced: true, TextDone: false, Done: false } part] } => new(PartWriter.Name(part.Kind) + ".delta", id, item.OutputIndex, part.Kind, part.Index),
            _ => null,
        };
    }

    public void Write(IBufferWriter<byte> output, long sequenceNumber)
    {
        using var writer = ResponseEventWriter.Begin(output, Encoding.UTF8.GetBytes(Type), sequenceNumber);
        writer.WriteString("item_id"u8, ItemId);
        writer.WriteNumber("output_index"u8, OutputIndex);
        if (Part is { } kind)
        {
            writer.WriteNumber(kind == PartKind.SummaryText ? "summary_index"u8 : "content_index"u8, PartIndex);
        }

        writer.WriteString("delta"u8, ""u8);
        if (Part == PartKind.OutputText)
        {
            writer.WriteStartArray("logprobs"u8);
            writer.WriteEndArray();
        }

        ResponseEventWriter.End(writer, output);
    }
}
