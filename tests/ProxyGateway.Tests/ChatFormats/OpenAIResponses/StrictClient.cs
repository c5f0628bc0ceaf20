using System.Net.ServerSentEvents;
using System.Text;
using System.Text.Json.Nodes;
using Xunit;

namespace ProxyGateway.Tests.ChatFormats.OpenAIResponses;

/// <summary>
/// A client that takes nothing on trust: it builds the output from the deltas and asserts the grammar on the way (created
/// first, numbers without a gap, nothing for an item that is not open, every end equal to what was delivered).
/// </summary>
internal sealed class StrictClient
{
    private readonly Dictionary<int, JsonObject> _open = [];
    private readonly Dictionary<int, JsonObject> _done = [];

    public List<string> Skeleton { get; } = [];

    public string? ResponseId { get; private set; }

    public JsonObject? Final { get; private set; }

    public string? Terminal { get; private set; }

    public bool SawError { get; private set; }

    public static StrictClient Read(ReadOnlySpan<byte> stream)
    {
        var client = new StrictClient();
        var expected = 0L;
        using var bytes = new MemoryStream(stream.ToArray());
        foreach (var e in SseParser.Create(bytes).Enumerate())
        {
            Assert.Null(client.Terminal);
            var data = JsonNode.Parse(e.Data)!.AsObject();
            var type = (string)data["type"]!;
            Assert.Equal(e.EventType, type);
            Assert.Equal(expected++, (long)data["sequence_number"]!);
            client.Skeleton.Add(Short(data));
            client.Take(type, data);
        }

        return client;
    }

    /// <summary>The items, without what differs from answer to answer.</summary>
    public static string Content(JsonArray output) => string.Join('\n', output.Select(item =>
    {
        var copy = (JsonObject)item!.DeepClone();
        foreach (var name in (string[])["id", "call_id", "encrypted_content"])
        {
            copy.Remove(name);
        }

        return Sorted(copy);
    }));

    private static string Sorted(JsonNode? node) => node switch
    {
        JsonObject o => "{" + string.Join(',', o.OrderBy(m => m.Key, StringComparer.Ordinal).Select(m => m.Key + ":" + Sorted(m.Value))) + "}",
        JsonArray a => "[" + string.Join(',', a.Select(Sorted)) + "]",
        null => "null",
        _ => node.ToJsonString(),
    };

    public JsonArray Output => Final!["output"]!.AsArray();

    public static string Short(JsonObject data)
    {
        var type = (string)data["type"]!;
        var line = new StringBuilder(type.StartsWith("response.", StringComparison.Ordinal) ? type["response.".Length..] : type);
        if (data["output_index"] is { } index)
        {
            line.Append(' ').Append(index);
        }

        if ((data["content_index"] ?? data["summary_index"]) is { } part)
        {
            line.Append('.').Append(part);
        }

        if (data["delta"] is { } delta)
        {
            line.Append(' ').Append((string)delta!);
        }

        return line.ToString();
    }

    private void Take(string type, JsonObject data)
    {
        if (type == "error")
        {
            SawError = true;
            return;
        }

        if (type is "response.created")
        {
            Assert.Null(ResponseId);
            ResponseId = (string)data["response"]!["id"]!;
            return;
        }

        Assert.NotNull(ResponseId);
        switch (type)
        {
            case "response.in_progress":
                // SDKs take its response, which has no output, for all there is.
                Assert.Empty(_open);
                Assert.Empty(_done);
                Assert.Equal(ResponseId, (string?)data["response"]!["id"]);
                return;
            case "response.completed" or "response.incomplete" or "response.failed":
                Assert.Equal(ResponseId, (string?)data["response"]!["id"]);
                Terminal = type;
                Final = data["response"]!.AsObject();
                if (type != "response.failed")
                {
                    Assert.Empty(_open);
                    Assert.Equal(_done.OrderBy(i => i.Key).Select(i => Sorted(i.Value)), Output.Select(Sorted));
                }

                return;
            case "response.output_item.added":
                var added = (int)data["output_index"]!;
                Assert.Equal(_open.Count + _done.Count, added);
                _open.Add(added, (JsonObject)data["item"]!.DeepClone());
                return;
        }

        var index = (int)data["output_index"]!;
        var item = _open[index];
        if (type == "response.output_item.done")
        {
            var whole = data["item"]!.AsObject();
            Assert.Equal((string?)item["id"], (string?)whole["id"]);
            Assert.Equal((string?)item["call_id"], (string?)whole["call_id"]);
            foreach (var member in (string[])["arguments", "input", "content", "summary"])
            {
                Assert.Equal(Sorted(item[member]), Sorted(whole[member]));
            }

            _open.Remove(index);
            _done.Add(index, (JsonObject)whole.DeepClone());
            return;
        }

        Assert.Equal((string?)item["id"], (string?)data["item_id"]);
        switch (type["response.".Length..])
        {
            case "content_part.added":
                Append(item, "content", (int)data["content_index"]!, data["part"]!);
                break;
            case "reasoning_summary_part.added":
                Append(item, "summary", (int)data["summary_index"]!, data["part"]!);
                break;
            case "output_text.delta" or "reasoning_text.delta":
                AddText(Part(item, data), "text", data);
                break;
            case "refusal.delta":
                AddText(Part(item, data), "refusal", data);
                break;
            case "reasoning_summary_text.delta":
                AddText(Part(item, data), "text", data);
                break;
            case "function_call_arguments.delta":
                AddText(item, "arguments", data);
                break;
            case "custom_tool_call_input.delta":
                AddText(item, "input", data);
                break;
            case "output_text.annotation.added":
                var annotations = Part(item, data)["annotations"]!.AsArray();
                Assert.Equal(annotations.Count, (int)data["annotation_index"]!);
                annotations.Add(data["annotation"]!.DeepClone());
                break;
            case "output_text.done" or "reasoning_text.done" or "reasoning_summary_text.done":
                Assert.Equal((string?)Part(item, data)["text"], (string?)data["text"]);
                break;
            case "refusal.done":
                Assert.Equal((string?)Part(item, data)["refusal"], (string?)data["refusal"]);
                break;
            case "content_part.done" or "reasoning_summary_part.done":
                Assert.Equal(Sorted(Part(item, data)), Sorted(data["part"]));
                break;
            case "function_call_arguments.done":
                Assert.Equal((string?)item["arguments"], (string?)data["arguments"]);
                break;
            case "custom_tool_call_input.done":
                Assert.Equal((string?)item["input"], (string?)data["input"]);
                break;
            case var other:
                Assert.StartsWith((string)item["type"]!, other, StringComparison.Ordinal);
                break;
        }
    }

    private static void Append(JsonObject item, string array, int index, JsonNode part)
    {
        var parts = item[array]!.AsArray();
        Assert.Equal(parts.Count, index);
        parts.Add(part.DeepClone());
    }

    private static JsonObject Part(JsonObject item, JsonObject data) =>
        (data["summary_index"] is { } summary ? item["summary"]![(int)summary] : item["content"]![(int)data["content_index"]!])!.AsObject();

    private static void AddText(JsonObject target, string member, JsonObject data) => target[member] = (string)target[member]! + (string)data["delta"]!;
}
