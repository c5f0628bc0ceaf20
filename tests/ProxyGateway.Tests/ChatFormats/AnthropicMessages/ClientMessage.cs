using System.Net.ServerSentEvents;
using System.Text;
using System.Text.Json.Nodes;
using Xunit;

namespace ProxyGateway.Tests.ChatFormats.AnthropicMessages;

/// <summary>
/// The message that the strictest client makes of a stream. Everything that some client takes for an error, or drops
/// without a word, fails the test.
/// </summary>
internal sealed class ClientMessage
{
    private readonly List<(JsonObject Block, StringBuilder Input, bool Closed)> _blocks = [];
    private JsonObject? _start;

    public JsonArray Content => new([.. _blocks.Select(b => b.Block.DeepClone())]);

    public string? StopReason { get; private set; }

    public bool Complete { get; private set; }

    public JsonNode? Usage { get; private set; }

    public string? Id => (string?)_start?["id"];

    /// <summary>What a client has that read <paramref name="stream"/>, complete or not.</summary>
    public static ClientMessage Read(ReadOnlySpan<byte> stream)
    {
        var message = new ClientMessage();
        foreach (var item in SseParser.Create(new MemoryStream(stream.ToArray())).Enumerate())
        {
            var data = JsonNode.Parse(item.Data)!;
            Assert.False(message.Complete, "An event after message_stop.");
            Assert.Equal((string?)data["type"], item.EventType);
            message.Take(data);
        }

        return message;
    }

    /// <summary>As <see cref="Content"/>, without what a replay may tell otherwise: ids and reasoning.</summary>
    public static string Comparable(JsonArray content)
    {
        var names = new Dictionary<string, string>();
        var copy = (JsonArray)content.DeepClone();
        foreach (var block in copy.Cast<JsonObject>())
        {
            if ((string?)block["id"] is { } id)
            {
                names[id] = $"call {names.Count}";
                block["id"] = names[id];
            }

            // A result may belong to a call of an earlier message.
            if ((string?)block["tool_use_id"] is { } used && names.TryGetValue(used, out var call))
            {
                block["tool_use_id"] = call;
            }

            if ((string?)block["type"] is "thinking" or "redacted_thinking")
            {
                block.Remove("thinking");
                block.Remove("signature");
                block.Remove("data");
            }

            if (block["citations"] is null or JsonArray { Count: 0 })
            {
                block.Remove("citations");
            }
        }

        return Sorted(copy)!.ToJsonString();
    }

    public static string Comparable(byte[] answer) => Comparable((JsonArray)JsonNode.Parse(answer)!["content"]!);

    private static JsonNode? Sorted(JsonNode? node) => node switch
    {
        JsonObject o => new JsonObject(o.OrderBy(p => p.Key, StringComparer.Ordinal).Select(p => KeyValuePair.Create(p.Key, Sorted(p.Value)))),
        JsonArray a => new JsonArray([.. a.Select(Sorted)]),
        _ => node?.DeepClone(),
    };

    private void Take(JsonNode e)
    {
        switch ((string)e["type"]!)
        {
            case "ping":
                break;
            case "message_start":
                Assert.Null(_start);
                _start = (JsonObject)e["message"]!;
                Assert.Empty((JsonArray)_start["content"]!);
                break;
            case "content_block_start":
                Assert.NotNull(_start);
                Assert.Null(StopReason);
                Assert.Equal(_blocks.Count, (int)e["index"]!);
                _blocks.Add(((JsonObject)e["content_block"]!.DeepClone(), new StringBuilder(), false));
                break;
            case "content_block_delta":
                TakeDelta((int)e["index"]!, e["delta"]!);
                break;
            case "content_block_stop":
                Close((int)e["index"]!);
                break;
            case "message_delta":
                Assert.All(_blocks, b => Assert.True(b.Closed, "The message ends with an open block."));
                Assert.Null(StopReason);
                StopReason = (string?)e["delta"]!["stop_reason"];
                Usage = e["usage"]!.DeepClone();
                break;
            case "message_stop":
                Assert.NotNull(StopReason);
                Complete = true;
                break;
            default:
                Assert.Fail($"Unexpected event {e.ToJsonString()}");
                break;
        }
    }

    private void TakeDelta(int index, JsonNode delta)
    {
        var (block, input, closed) = _blocks[index];
        Assert.False(closed, "A delta into a closed block.");
        switch ((string)delta["type"]!)
        {
            case "text_delta":
                Assert.Equal("text", (string?)block["type"]);
                block["text"] = (string?)block["text"] + (string?)delta["text"];
                break;
            case "thinking_delta":
                Assert.Equal("thinking", (string?)block["type"]);
                block["thinking"] = (string?)block["thinking"] + (string?)delta["thinking"];
                break;
            case "signature_delta":
                Assert.Equal("thinking", (string?)block["type"]);
                block["signature"] = (string?)delta["signature"];
                break;
            case "input_json_delta":
                Assert.EndsWith("tool_use", (string?)block["type"], StringComparison.Ordinal);
                input.Append((string?)delta["partial_json"]);
                break;
            case "citations_delta":
                Assert.Equal("text", (string?)block["type"]);
                if (block["citations"] is not JsonArray citations)
                {
                    block["citations"] = citations = [];
                }

                citations.Add(delta["citation"]!.DeepClone());
                break;
            case "compaction_delta":
                Assert.Equal("compaction", (string?)block["type"]);
                block["content"] = delta["content"]!.DeepClone();
                block["encrypted_content"] = delta["encrypted_content"]?.DeepClone();
                break;
            default:
                Assert.Fail($"Unexpected delta {delta.ToJsonString()}");
                break;
        }
    }

    private void Close(int index)
    {
        var (block, input, closed) = _blocks[index];
        Assert.False(closed, "A block closed twice.");
        if (input.Length > 0)
        {
            block["input"] = JsonNode.Parse(input.ToString());
        }

        _blocks[index] = (block, input, true);
    }
}
