using System.Text;
using System.Text.Json;
using ProxyGateway.TestKit.Contract;

namespace ProxyGateway.TestKit.Data;

/// <summary>A stream that a provider once sent.</summary>
/// <param name="Name">The file, relative to the folder of recordings, and a number where a file holds several.</param>
/// <param name="Format">The chat format its events look like; null where it is none the gateway names.</param>
public sealed record RecordedStream(string Name, byte[] Bytes, string? Format)
{
    public override string ToString() => $"{Format ?? "?"} {Name}";
}

/// <summary>Loads every recorded stream of the third-party data.</summary>
public static class RecordedStreams
{
    public static IReadOnlyList<RecordedStream> Load(string dataFolder)
    {
        var root = Path.Combine(dataFolder, "llm-sse");
        var streams = new List<RecordedStream>();
        foreach (var file in Directory.EnumerateFiles(root, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
        {
            var name = Path.GetRelativePath(root, file);
            var bodies = Bodies(file).ToList();
            for (var i = 0; i < bodies.Count; i++)
            {
                streams.Add(new RecordedStream(bodies.Count == 1 ? name : $"{name}#{i + 1}", bodies[i], GuessFormat(bodies[i])));
            }
        }

        return streams;
    }

    /// <summary>The format of the first event that gives itself away.</summary>
    public static string? GuessFormat(byte[] stream)
    {
        foreach (var block in SseBlock.ReadAll(stream, out _))
        {
            if (block.HasData && GuessEvent(block) is { } format)
            {
                return format;
            }
        }

        return null;
    }

    private static IEnumerable<byte[]> Bodies(string file)
    {
        if (file.EndsWith(".chunks.txt", StringComparison.Ordinal))
        {
            return [Framed(File.ReadAllLines(file))];
        }

        return Path.GetExtension(file) switch
        {
            ".sse" or ".txt" => [File.ReadAllBytes(file)],
            ".json" => FromJson(File.ReadAllBytes(file)),
            ".yaml" => FromCassette(File.ReadAllLines(file)),
            _ => [],
        };
    }

    /// <summary>One JSON document per line becomes one event each; types that have names in the protocol get their event line.</summary>
    private static byte[] Framed(string[] lines)
    {
        var stream = new StringBuilder();
        foreach (var line in lines.Where(l => l.Length > 0))
        {
            if (TypeOf(line) is { } type && IsNamed(type))
            {
                stream.Append("event: ").Append(type).Append('\n');
            }

            stream.Append("data: ").Append(line).Append("\n\n");
        }

        return Encoding.UTF8.GetBytes(stream.ToString());
    }

    /// <summary>Either a raw stream under a wrong name, or a recorded session whose entries have the stream as a list of lines.</summary>
    private static IEnumerable<byte[]> FromJson(byte[] file)
    {
        if (!file.AsSpan().TrimStart(" \r\n\t\uFEFF"u8).StartsWith((byte)'{'))
        {
            return [file];
        }

        using var document = JsonDocument.Parse(file);
        List<byte[]> bodies = [];
        if (JsonStrings.TryGet(document.RootElement, "Entries", out var entries))
        {
            foreach (var entry in entries.EnumerateArray())
            {
                // The recorder writes a body of several lines as a list of them.
                if (JsonStrings.TryGet(entry, "ResponseBody", out var lines) && lines.ValueKind == JsonValueKind.Array
                    && string.Concat(lines.EnumerateArray().Select(JsonStrings.Decode)) is var body && LooksLikeStream(body))
                {
                    bodies.Add(Encoding.UTF8.GetBytes(body));
                }
            }
        }

        return bodies;
    }

    /// <summary>Scalars named <c>body</c> of a recorder's cassette; block scalars end where their indentation does.</summary>
    private static List<byte[]> FromCassette(string[] lines)
    {
        List<byte[]> bodies = [];
        for (var i = 0; i < lines.Length; i++)
        {
            var line = lines[i].Trim();
            if (line.StartsWith("body: \"", StringComparison.Ordinal) && line.EndsWith('"'))
            {
                // A double-quoted scalar on one line has JSON's escapes.
                Add(JsonSerializer.Deserialize<string>(line["body: ".Length..])!);
            }

            if (!line.StartsWith("body: |", StringComparison.Ordinal) || i + 1 == lines.Length)
            {
                continue;
            }

            var indent = lines[i + 1].Length - lines[i + 1].TrimStart().Length;
            var body = new StringBuilder();
            for (i++; i < lines.Length && (lines[i].Length == 0 || lines[i].StartsWith(new string(' ', indent), StringComparison.Ordinal)); i++)
            {
                body.Append(lines[i].Length == 0 ? "" : lines[i][indent..]).Append('\n');
            }

            i--;
            Add(body.ToString());
        }

        return bodies;

        void Add(string body)
        {
            if (LooksLikeStream(body))
            {
                bodies.Add(Encoding.UTF8.GetBytes(body));
            }
        }
    }

    private static bool LooksLikeStream(string body) =>
        body.StartsWith("data:", StringComparison.Ordinal) || body.StartsWith("event:", StringComparison.Ordinal) || body.StartsWith(':');

    private static bool IsNamed(string type) =>
        type.StartsWith("response.", StringComparison.Ordinal)
        || type is "message_start" or "message_delta" or "message_stop" or "content_block_start" or "content_block_delta" or "content_block_stop" or "ping" or "error";

    private static string? TypeOf(string json)
    {
        try
        {
            using var document = JsonDocument.Parse(json);
            return JsonStrings.Get(document.RootElement, "type");
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static string? GuessEvent(SseBlock block)
    {
        try
        {
            using var document = JsonDocument.Parse(block.Data);
            var root = document.RootElement;
            return JsonStrings.Get(root, "type") switch
            {
                { } type when type.StartsWith("response.", StringComparison.Ordinal) => "openai-responses",
                "message_start" or "content_block_start" or "content_block_delta" => "anthropic-messages",
                _ when JsonStrings.TryGet(root, "candidates", out _) => "gemini",
                _ when JsonStrings.Get(root, "object") == "text_completion" => "openai-completions",
                _ when JsonStrings.TryGet(root, "choices", out var choices) && choices.ValueKind == JsonValueKind.Array => "openai-chat",
                _ => null,
            };
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
