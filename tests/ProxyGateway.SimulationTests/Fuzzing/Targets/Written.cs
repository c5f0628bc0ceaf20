using System.Net.ServerSentEvents;
using System.Text;
using System.Text.Json;
using ProxyGateway.StreamingFallback.ChatFormats;
using ProxyGateway.TestKit.Contract;

namespace ProxyGateway.SimulationTests.Fuzzing.Targets;

/// <summary>What the gateway wrote itself, for two parsers that share nothing with it: whole events, each of them JSON, the same for both.</summary>
internal static class Written
{
    public static string? Problem(byte[] written, StreamFraming framing)
    {
        if (framing == StreamFraming.JsonLines)
        {
            return written.Length > 0 && written[^1] != '\n' ? "the last line has no end"
                : Encoding.UTF8.GetString(written).Split('\n', StringSplitOptions.RemoveEmptyEntries).All(IsJson) ? null : "a line is no JSON";
        }

        var blocks = SseBlock.ReadAll(written, out var remainder);
        if (remainder != written.Length)
        {
            return $"{written.Length - remainder} bytes after the last event";
        }

        var own = blocks.Where(b => b.HasData).Select(b => (b.EventName.Length == 0 ? SseParser.EventTypeDefault : b.EventName, Encoding.UTF8.GetString(b.Data))).ToList();
        using var stream = new MemoryStream(written);
        var other = SseParser.Create(stream, (_, data) => Encoding.UTF8.GetString(data)).Enumerate().Select(e => (e.EventType, e.Data)).ToList();
        return !own.SequenceEqual(other) ? "two parsers read different events" : own.TrueForAll(e => e.Item2 == "[DONE]" || IsJson(e.Item2)) ? null : "an event is no JSON";
    }

    private static bool IsJson(string text)
    {
        try
        {
            using var document = JsonDocument.Parse(text, new JsonDocumentOptions { MaxDepth = 1024 });
            return true;
        }
        catch (JsonException)
        {
            return false;
        }
    }
}
