using System.Text;
using System.Text.Json;
using ProxyGateway.TestKit.Data;
using Xunit;

namespace ProxyGateway.Tests.ChatFormats.OpenAIResponses;

/// <summary>The recorded streams of this format, one response each.</summary>
internal static class ResponseRecordings
{
    private const string FirstEvent = "\"type\":\"response.created\"";

    private static readonly Lazy<List<(string, byte[])>> All = new(() => [.. RecordedStreams.Load(SharedData.Find()!)
        .Where(s => s.Format == "openai-responses")
        .SelectMany(s => Split(Encoding.UTF8.GetString(s.Bytes)).Select((stream, i) => ($"{s.Name}@{i}", Encoding.UTF8.GetBytes(stream))))]);

    public static IReadOnlyList<(string Name, byte[] Stream)> Load()
    {
        Assert.SkipWhen(SharedData.Require() is null, SharedData.Missing);
        return All.Value;
    }

    /// <summary>One of the hand-made ones lacks a brace in its last event.</summary>
    public static bool HasReadableEnd(byte[] stream) => Encoding.UTF8.GetString(stream).Split('\n')
        .Any(l => l.Contains("\"type\":\"response.completed\"", StringComparison.Ordinal) && IsJson(l[(l.IndexOf(':', StringComparison.Ordinal) + 1)..]));

    /// <summary>One file may hold the turns of a conversation, a stream after the other.</summary>
    private static IEnumerable<string> Split(string streams)
    {
        var start = 0;
        for (var next = Begin(streams, 0); next >= 0; next = Begin(streams, next + 1))
        {
            if (next > start)
            {
                yield return streams[start..next];
            }

            start = next;
        }

        yield return streams[start..];
    }

    private static int Begin(string streams, int from)
    {
        var first = streams.IndexOf(FirstEvent, from, StringComparison.Ordinal);
        if (first < 0)
        {
            return -1;
        }

        var begin = streams.LastIndexOf("\n\n", first, StringComparison.Ordinal) is var blank and >= 0 ? blank + 2 : 0;
        return begin >= from ? begin : Begin(streams, first + 1);
    }

    private static bool IsJson(string line)
    {
        try
        {
            using var document = JsonDocument.Parse(line);
            return true;
        }
        catch (JsonException)
        {
            return false;
        }
    }
}
