using System.Text;
using System.Text.Json;
using ProxyGateway.TestKit.Contract;

namespace ProxyGateway.TestKit;

/// <summary>
/// Turns an event stream into one short line per event, so that a test compares what was said and in which order, and a
/// failing comparison can be read.
/// </summary>
/// <remarks>
/// Chat chunks show what they carry: <c>0 role</c>, <c>0 text "Hel"</c>, <c>0 tool 0 f(call_1) "{"</c>, <c>0 finish stop</c>,
/// <c>usage</c>, <c>[DONE]</c>, <c>error upstream_error</c>. Other formats show the event's type and its short text members.
/// Comments begin with a colon; bytes after the last whole event are shown as <c>rest "…"</c>.
/// </remarks>
public static class StreamSkeleton
{
    public static IReadOnlyList<string> Of(ReadOnlyMemory<byte> stream)
    {
        List<string> lines = [];
        var blocks = SseBlock.ReadAll(stream, out var remainder);
        foreach (var block in blocks)
        {
            AddComments(block, lines);
            if (block.HasData)
            {
                lines.Add(Line(block));
            }
        }

        if (remainder < stream.Length)
        {
            lines.Add($"rest \"{Encoding.UTF8.GetString(stream.Span[remainder..])}\"");
        }

        return lines;
    }

    /// <summary>The lines joined, for one comparison with a raw string.</summary>
    public static string Text(ReadOnlyMemory<byte> stream) => string.Join('\n', Of(stream));

    private static void AddComments(SseBlock block, List<string> lines)
    {
        if (block.HasComment)
        {
            var text = Encoding.UTF8.GetString(block.Raw.Span).TrimStart('\uFEFF');
            lines.AddRange(text.Split('\n', '\r').Where(l => l.StartsWith(':')));
        }
    }

    private static string Line(SseBlock block)
    {
        var data = Encoding.UTF8.GetString(block.Data);
        if (data.Trim() == "[DONE]")
        {
            return "[DONE]";
        }

        try
        {
            using var document = JsonDocument.Parse(block.Data);
            var root = document.RootElement;
            if (JsonStrings.TryGet(root, "error", out var error))
            {
                return $"error {JsonStrings.Get(error, "code") ?? JsonStrings.Get(error, "type") ?? error.ToString()}";
            }

            return JsonStrings.TryGet(root, "choices", out var choices) && choices.ValueKind == JsonValueKind.Array ? Chunk(root, choices) : Typed(block, root);
        }
        catch (JsonException)
        {
            return $"not JSON \"{data}\"";
        }
    }

    private static string Chunk(JsonElement root, JsonElement choices)
    {
        List<string> parts = [];
        foreach (var choice in choices.EnumerateArray())
        {
            parts.Add((JsonStrings.TryGet(choice, "index", out var index) ? index.ToString() : "?") + Delta(choice));
        }

        if (JsonStrings.TryGet(root, "usage", out _))
        {
            parts.Add("usage");
        }

        return parts.Count == 0 ? "empty" : string.Join(" · ", parts);
    }

    private static string Delta(JsonElement choice)
    {
        var line = new StringBuilder();
        if (JsonStrings.TryGet(choice, "delta", out var delta))
        {
            line.Append(JsonStrings.Get(delta, "role") is { Length: > 0 } ? " role" : "");
            Add("content", "text");
            Add("reasoning_content", "reasoning");
            Add("reasoning", "reasoning");
            Add("refusal", "refusal");
            if (JsonStrings.TryGet(delta, "tool_calls", out var calls) && calls.ValueKind == JsonValueKind.Array)
            {
                foreach (var call in calls.EnumerateArray())
                {
                    AddCall(call);
                }
            }
        }

        return line.Append(JsonStrings.Get(choice, "finish_reason") is { } reason ? $" finish {reason}" : "").ToString();

        void Add(string member, string name)
        {
            if (JsonStrings.Get(delta, member) is { Length: > 0 } text)
            {
                line.Append($" {name} \"{text}\"");
            }
        }

        void AddCall(JsonElement call)
        {
            JsonStrings.TryGet(call, "function", out var function);
            line.Append($" tool {(JsonStrings.TryGet(call, "index", out var index) ? index.ToString() : "?")}");
            line.Append(JsonStrings.Get(function, "name") is { Length: > 0 } name ? $" {name}({JsonStrings.Get(call, "id")})" : "");
            line.Append(JsonStrings.Get(function, "arguments") is { Length: > 0 } arguments ? $" \"{arguments}\"" : "");
        }
    }

    /// <summary>Events that name their own type, with the text they carry.</summary>
    private static string Typed(SseBlock block, JsonElement root)
    {
        var line = new StringBuilder(JsonStrings.Get(root, "type") ?? (block.EventName.Length > 0 ? block.EventName : "event"));
        foreach (var number in (ReadOnlySpan<string>)["output_index", "index"])
        {
            if (JsonStrings.TryGet(root, number, out var value))
            {
                line.Append($" {value}");
            }
        }

        var carrier = JsonStrings.TryGet(root, "delta", out var delta) && delta.ValueKind == JsonValueKind.Object ? delta : root;
        foreach (var member in (ReadOnlySpan<string>)["delta", "text", "thinking", "partial_json", "stop_reason"])
        {
            if (JsonStrings.Get(carrier, member) is { } text)
            {
                line.Append($" \"{text}\"");
            }
        }

        return line.ToString();
    }
}
