using System.Buffers;
using System.Text.Json;
using ProxyGateway.StreamingFallback.ChatFormats.Json;

namespace ProxyGateway.StreamingFallback.ChatFormats.OpenAIResponses;

/// <summary>Makes the events that lead from what was delivered to the end of a whole answer.</summary>
internal sealed class OpenAIResponsesStreamWriter
{
    private readonly OpenAIResponsesReader? _delivered;
    private readonly OpenAIResponsesAnswer _answer;
    private readonly IBufferWriter<byte> _output;
    private readonly ResponseIdentity _identity;
    private readonly AnswerIds _ids;
    private long _next;

    public OpenAIResponsesStreamWriter(OpenAIResponsesReader? delivered, OpenAIResponsesAnswer answer, ChatRequest request, long firstNumber, IBufferWriter<byte> output)
    {
        _delivered = delivered;
        _answer = answer;
        _output = output;
        _ids = new AnswerIds(answer, delivered?.Ledger.Items ?? []);
        _next = firstNumber;
        var own = ResponseIdentity.Read(answer.Root, null) ?? ResponseIdentity.Unknown;
        _identity = delivered?.Ledger.Identity ?? own;
        _identity = _identity with
        {
            CreatedAt = _identity.CreatedAt ?? own.CreatedAt,
            Model = _identity.Model ?? own.Model ?? BodyEdits.Quote(request.Model ?? ""),
        };
    }

    public void Write()
    {
        if (_delivered is null)
        {
            WriteStarted("response.created"u8);
            WriteStarted("response.in_progress"u8);
        }

        for (var i = 0; i < _answer.Items.Count; i++)
        {
            var delivered = _delivered?.Ledger.Find(i);
            if (delivered is not { Done: true })
            {
                WriteItem(i, delivered);
            }
        }

        using var end = Begin(_answer.IsComplete ? "response.completed"u8 : "response.incomplete"u8);
        WriteWhole(end);
        ResponseEventWriter.End(end, _output);
    }

    private void WriteStarted(ReadOnlySpan<byte> type)
    {
        using var started = Begin(type);
        started.WritePropertyName("response"u8);
        ResponseObject.Write(started, _answer.Root, _identity, "in_progress"u8, null);
        ResponseEventWriter.End(started, _output);
    }

    private void WriteItem(int index, DeliveredItem? delivered)
    {
        var (element, kind) = _answer.Items[index];
        if (delivered is null)
        {
            using var added = Begin("response.output_item.added"u8);
            added.WriteNumber("output_index"u8, index);
            added.WritePropertyName("item"u8);
            ItemWriter.WriteBegun(added, element, kind, index, _ids);
            ResponseEventWriter.End(added, _output);
        }

        switch (kind)
        {
            case ItemKind.FunctionCall or ItemKind.CustomToolCall:
                WriteInput(index, element, kind, delivered);
                break;
            case ItemKind.Message or ItemKind.Reasoning:
                var parts = new PartWriter(this, index);
                parts.Write(JsonMembers.Array(element, "summary"), isSummary: true, delivered);
                parts.Write(JsonMembers.Array(element, "content"), isSummary: false, delivered);
                break;
            default:
                ServerToolEvents.Write(this, element, index);
                break;
        }

        using var done = Begin("response.output_item.done"u8);
        done.WriteNumber("output_index"u8, index);
        done.WritePropertyName("item"u8);
        ItemWriter.WriteWhole(done, element, kind, index, _ids);
        ResponseEventWriter.End(done, _output);
    }

    private void WriteInput(int index, JsonElement element, ItemKind kind, DeliveredItem? delivered)
    {
        if (delivered is { InputDone: true })
        {
            return;
        }

        var isFunction = kind == ItemKind.FunctionCall;
        var input = ItemText.InputOf(element, kind)!;
        WriteDeltas(isFunction ? "response.function_call_arguments.delta"u8 : "response.custom_tool_call_input.delta"u8, index, input.AsSpan(delivered?.Input.Length ?? 0));
        using var done = BeginOf(isFunction ? "response.function_call_arguments.done"u8 : "response.custom_tool_call_input.done"u8, index);
        if (isFunction)
        {
            done.WriteString("name"u8, JsonMembers.Text(element, "name"));
        }

        done.WriteString(isFunction ? "arguments"u8 : "input"u8, input);
        ResponseEventWriter.End(done, _output);
    }

    /// <summary>Writes <paramref name="rest"/> in pieces, as the deltas of an item itself.</summary>
    public void WriteDeltas(ReadOnlySpan<byte> type, int index, ReadOnlySpan<byte> rest)
    {
        while (!rest.IsEmpty)
        {
            var piece = TextPieces.Take(rest);
            using var delta = BeginOf(type, index);
            delta.WriteString("delta"u8, rest[..piece]);
            ResponseEventWriter.End(delta, _output);
            rest = rest[piece..];
        }
    }

    public Utf8JsonWriter Begin(ReadOnlySpan<byte> type) => ResponseEventWriter.Begin(_output, type, _next++);

    /// <summary>Opens an event that is about the item at <paramref name="index"/>.</summary>
    public Utf8JsonWriter BeginOf(ReadOnlySpan<byte> type, int index)
    {
        var writer = Begin(type);
        writer.WriteString("item_id"u8, _ids.Item(index));
        writer.WriteNumber("output_index"u8, index);
        return writer;
    }

    public void End(Utf8JsonWriter writer) => ResponseEventWriter.End(writer, _output);

    /// <summary>The whole response as the client knows it: what was delivered, then what was written here.</summary>
    private void WriteWhole(Utf8JsonWriter writer)
    {
        writer.WriteStartObject("response"u8);
        writer.WriteString("id"u8, _identity.Id);
        writer.WriteString("object"u8, "response"u8);
        _identity.WriteCreatedAt(writer);
        _identity.WriteModel(writer);
        foreach (var member in _answer.Root.EnumerateObject())
        {
            if (member.Name is "id" or "object" or "created_at" or "model")
            {
                continue;
            }

            writer.WritePropertyName(member.Name);
            if (member.Name == "output")
            {
                WriteOutput(writer);
            }
            else
            {
                member.Value.WriteTo(writer);
            }
        }

        writer.WriteEndObject();
    }

    private void WriteOutput(Utf8JsonWriter writer)
    {
        writer.WriteStartArray();
        for (var i = 0; i < _answer.Items.Count; i++)
        {
            if (_delivered?.Ledger.Find(i) is { Done: true, Whole: { } whole })
            {
                using var document = JsonDocument.Parse(whole);
                document.RootElement.WriteTo(writer);
            }
            else
            {
                var (element, kind) = _answer.Items[i];
                ItemWriter.WriteWhole(writer, element, kind, i, _ids);
            }
        }

        writer.WriteEndArray();
    }
}
