using System.Text;
using System.Text.Json.Nodes;

namespace ProxyGateway.Tests.ChatFormats.OpenAIResponses;

/// <summary>
/// What an upstream streams for an answer, written from the API's description alone and not with the code under test. Ids
/// get a suffix, so that a stream and a replay of the same answer differ in them as they do in life.
/// </summary>
internal sealed class UpstreamScript(string suffix = "a", string lineEnd = "\n")
{
    private readonly StringBuilder _stream = new();
    private readonly JsonArray _output = [];
    private int _sequence;

    public string ResponseId => $"resp_{suffix}";

    public byte[] Bytes => Encoding.UTF8.GetBytes(_stream.ToString());

    /// <summary>The same answer as a whole body.</summary>
    public byte[] Answer(string status = "completed") => Encoding.UTF8.GetBytes(Response(status).ToJsonString());

    public UpstreamScript Emit(string type, JsonObject members)
    {
        var e = new JsonObject { ["type"] = type, ["sequence_number"] = _sequence++ };
        foreach (var (name, value) in members)
        {
            e[name] = value?.DeepClone();
        }

        _stream.Append($"event: {type}{lineEnd}data: {e.ToJsonString()}{lineEnd}{lineEnd}");
        return this;
    }

    public UpstreamScript Raw(string text)
    {
        _stream.Append(text);
        return this;
    }

    public UpstreamScript Created()
    {
        Emit("response.created", new() { ["response"] = Response("in_progress") });
        return Emit("response.in_progress", new() { ["response"] = Response("in_progress") });
    }

    public UpstreamScript Message(string[] deltas, params JsonObject[] annotations)
    {
        var (id, index) = ($"msg_{suffix}{_output.Count}", _output.Count);
        var item = new JsonObject { ["id"] = id, ["type"] = "message", ["status"] = "in_progress", ["role"] = "assistant", ["content"] = new JsonArray() };
        Emit("response.output_item.added", new() { ["output_index"] = index, ["item"] = item });
        JsonObject At() => new() { ["item_id"] = id, ["output_index"] = index, ["content_index"] = 0 };
        JsonObject Part(string text, JsonArray notes) => new() { ["type"] = "output_text", ["annotations"] = notes, ["logprobs"] = new JsonArray(), ["text"] = text };
        Emit("response.content_part.added", With(At(), "part", Part("", [])));
        foreach (var delta in deltas)
        {
            Emit("response.output_text.delta", With(With(At(), "delta", delta), "logprobs", new JsonArray()));
        }

        for (var i = 0; i < annotations.Length; i++)
        {
            Emit("response.output_text.annotation.added", With(With(At(), "annotation_index", i), "annotation", annotations[i]));
        }

        var text = string.Concat(deltas);
        var whole = Part(text, [.. annotations.Select(a => a.DeepClone())]);
        Emit("response.output_text.done", With(At(), "text", text));
        Emit("response.content_part.done", With(At(), "part", whole));
        return Done(index, new() { ["id"] = id, ["type"] = "message", ["status"] = "completed", ["role"] = "assistant", ["content"] = new JsonArray(whole.DeepClone()) });
    }

    public UpstreamScript Refusal(params string[] deltas)
    {
        var (id, index) = ($"msg_{suffix}{_output.Count}", _output.Count);
        var item = new JsonObject { ["id"] = id, ["type"] = "message", ["status"] = "in_progress", ["role"] = "assistant", ["content"] = new JsonArray() };
        Emit("response.output_item.added", new() { ["output_index"] = index, ["item"] = item });
        JsonObject At() => new() { ["item_id"] = id, ["output_index"] = index, ["content_index"] = 0 };
        Emit("response.content_part.added", With(At(), "part", new JsonObject { ["type"] = "refusal", ["refusal"] = "" }));
        foreach (var delta in deltas)
        {
            Emit("response.refusal.delta", With(At(), "delta", delta));
        }

        var part = new JsonObject { ["type"] = "refusal", ["refusal"] = string.Concat(deltas) };
        Emit("response.refusal.done", With(At(), "refusal", string.Concat(deltas)));
        Emit("response.content_part.done", With(At(), "part", part));
        return Done(index, new() { ["id"] = id, ["type"] = "message", ["status"] = "completed", ["role"] = "assistant", ["content"] = new JsonArray(part.DeepClone()) });
    }

    public UpstreamScript Reasoning(params string[][] summaries)
    {
        var (id, index) = ($"rs_{suffix}{_output.Count}", _output.Count);
        Emit("response.output_item.added", new() { ["output_index"] = index, ["item"] = new JsonObject { ["id"] = id, ["type"] = "reasoning", ["summary"] = new JsonArray() } });
        var parts = new JsonArray();
        for (var i = 0; i < summaries.Length; i++)
        {
            var at = new JsonObject { ["item_id"] = id, ["output_index"] = index, ["summary_index"] = i };
            var text = string.Concat(summaries[i]);
            Emit("response.reasoning_summary_part.added", With(at, "part", new JsonObject { ["type"] = "summary_text", ["text"] = "" }));
            foreach (var delta in summaries[i])
            {
                Emit("response.reasoning_summary_text.delta", With(at, "delta", delta));
            }

            var part = new JsonObject { ["type"] = "summary_text", ["text"] = text };
            Emit("response.reasoning_summary_text.done", With(at, "text", text));
            Emit("response.reasoning_summary_part.done", With(at, "part", part));
            parts.Add((JsonNode)part);
        }

        return Done(index, new() { ["id"] = id, ["type"] = "reasoning", ["summary"] = parts, ["encrypted_content"] = $"sealed_{suffix}" });
    }

    public UpstreamScript FunctionCall(string name, params string[] deltas) =>
        Call("function_call", "arguments", "response.function_call_arguments", name, deltas);

    public UpstreamScript CustomToolCall(string name, params string[] deltas) =>
        Call("custom_tool_call", "input", "response.custom_tool_call_input", name, deltas);

    public UpstreamScript WebSearch(string query)
    {
        var (id, index) = ($"ws_{suffix}{_output.Count}", _output.Count);
        Emit("response.output_item.added", new() { ["output_index"] = index, ["item"] = new JsonObject { ["id"] = id, ["type"] = "web_search_call", ["status"] = "in_progress" } });
        foreach (var step in (string[])["in_progress", "searching", "completed"])
        {
            Emit($"response.web_search_call.{step}", new() { ["output_index"] = index, ["item_id"] = id });
        }

        return Done(index, new() { ["id"] = id, ["type"] = "web_search_call", ["status"] = "completed", ["action"] = new JsonObject { ["type"] = "search", ["query"] = query } });
    }

    public UpstreamScript End(string status = "completed") => Emit($"response.{status}", new() { ["response"] = Response(status) });

    private UpstreamScript Call(string type, string member, string events, string name, string[] deltas)
    {
        var (id, index) = ($"fc_{suffix}{_output.Count}", _output.Count);
        JsonObject Item(string input, string status) => new()
        {
            ["id"] = id, ["type"] = type, ["status"] = status, [member] = input, ["call_id"] = $"call_{suffix}{index}", ["name"] = name,
        };
        Emit("response.output_item.added", new() { ["output_index"] = index, ["item"] = Item("", "in_progress") });
        foreach (var delta in deltas)
        {
            Emit($"{events}.delta", new() { ["item_id"] = id, ["output_index"] = index, ["delta"] = delta });
        }

        Emit($"{events}.done", new() { ["item_id"] = id, ["output_index"] = index, [member] = string.Concat(deltas) });
        return Done(index, Item(string.Concat(deltas), "completed"));
    }

    private UpstreamScript Done(int index, JsonObject item)
    {
        _output.Add((JsonNode)item.DeepClone());
        return Emit("response.output_item.done", new() { ["output_index"] = index, ["item"] = item });
    }

    private JsonObject Response(string status) => new()
    {
        ["id"] = ResponseId,
        ["object"] = "response",
        ["created_at"] = suffix == "a" ? 1700000000 : 1700000099,
        ["status"] = status,
        ["error"] = null,
        ["incomplete_details"] = status == "incomplete" ? new JsonObject { ["reason"] = "max_output_tokens" } : null,
        ["model"] = $"model-{suffix}",
        ["output"] = status == "in_progress" ? new JsonArray() : _output.DeepClone(),
        ["store"] = false,
        ["usage"] = status == "in_progress" ? null : new JsonObject { ["input_tokens"] = 7, ["output_tokens"] = 5, ["total_tokens"] = 12 },
    };

    private static JsonObject With(JsonObject members, string name, JsonNode? value)
    {
        var copy = (JsonObject)members.DeepClone();
        copy[name] = value?.DeepClone();
        return copy;
    }
}
