using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Xunit;

namespace ProxyGateway.Tests.ChatFormats.OpenAIResponses;

/// <summary>Third-party recordings of this format. They lie beside the repository and are not part of it.</summary>
internal static class RecordedStreams
{
    private static readonly Lazy<List<(string Name, byte[] Stream)>> All = new(Load);

    /// <summary>Skips the test where there are none, visibly; in CI that is a failure.</summary>
    public static IReadOnlyList<(string Name, byte[] Stream)> Find()
    {
        if (All.Value.Count == 0)
        {
            Assert.False(Environment.GetEnvironmentVariable("CI") == "true", "The recorded streams are missing: set PROXYGATEWAY_SHARED_DATA.");
            Assert.Skip("No recorded streams: set PROXYGATEWAY_SHARED_DATA.");
        }

        return All.Value;
    }

    /// <summary>One of the hand-made ones lacks a brace in its last event.</summary>
    public static bool HasReadableEnd(byte[] stream) => Encoding.UTF8.GetString(stream).Split('\n')
        .Any(l => l.Contains("\"type\":\"response.completed\"", StringComparison.Ordinal) && TryParse(l[(l.IndexOf(':', StringComparison.Ordinal) + 1)..]) is not null);

    private static List<(string, byte[])> Load()
    {
        var folder = Environment.GetEnvironmentVariable("PROXYGATEWAY_SHARED_DATA") ?? Beside(AppContext.BaseDirectory);
        var streams = new List<(string, byte[])>();
        if (folder is null || !Directory.Exists(Path.Combine(folder, "llm-sse")))
        {
            return streams;
        }

        foreach (var file in Directory.EnumerateFiles(Path.Combine(folder, "llm-sse"), "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
        {
            var text = File.ReadAllText(file);
            if (text.Contains("\"response.", StringComparison.Ordinal) || text.Contains("\\u0022response.", StringComparison.Ordinal) || text.Contains("\\\"response.", StringComparison.Ordinal))
            {
                var name = Path.GetFileName(file);
                streams.AddRange(Split(file, text).Select((s, i) => ($"{name}#{i}", Encoding.UTF8.GetBytes(s))));
            }
        }

        return streams;
    }

    /// <summary>One file may hold the turns of a conversation, one stream each.</summary>
    private static IEnumerable<string> Split(string file, string text)
    {
        if (file.EndsWith(".chunks.txt", StringComparison.Ordinal))
        {
            var stream = new StringBuilder();
            foreach (var line in text.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
            {
                if (stream.Length > 0 && line.Contains("\"type\":\"response.created\"", StringComparison.Ordinal))
                {
                    yield return stream.ToString();
                    stream.Clear();
                }

                stream.Append("data: ").Append(line).Append("\n\n");
            }

            yield return stream.ToString();
        }
        else if (TryParse(text) is { } record)
        {
            foreach (var entry in record["Entries"]?.AsArray() ?? [])
            {
                var body = entry!["ResponseBody"] is JsonArray lines ? string.Concat(lines.Select(l => (string?)l)) : entry["ResponseBody"]?.ToString();
                if (body is not null && body.Contains("event: response.", StringComparison.Ordinal))
                {
                    yield return body;
                }
            }
        }
        else
        {
            yield return text;
        }
    }

    private static JsonObject? TryParse(string text)
    {
        try
        {
            return JsonNode.Parse(text) as JsonObject;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static string? Beside(string start)
    {
        for (var folder = new DirectoryInfo(start); folder is not null; folder = folder.Parent)
        {
            var data = Path.Combine(folder.FullName, "..", "shared", "data");
            if (File.Exists(Path.Combine(folder.FullName, "global.json")) && Directory.Exists(data))
            {
                return data;
            }
        }

        return null;
    }
}
