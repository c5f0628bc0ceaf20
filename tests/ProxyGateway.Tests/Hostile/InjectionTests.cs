using System.Net.ServerSentEvents;
using System.Text;
using System.Text.Json;
using ProxyGateway.StreamingFallback.ChatFormats;
using ProxyGateway.TestKit.Contract;
using ProxyGateway.TestKit.Data;
using Xunit;

namespace ProxyGateway.Tests.Hostile;

/// <summary>
/// Whatever an upstream, a model or a request says, in every place from which a format takes text into the events it writes: the
/// events stay as many as they are for a harmless word, for two parsers that have nothing to do with each other.
/// </summary>
public sealed class InjectionTests
{
    /// <summary>Long text goes out in several events, as it should.</summary>
    private const int Longest = 12;

    private static readonly string[] AllLineEnds = ["\r\n", "\0", "\r", "\n\n", "", "\n", "\u2028", "\u0085", "\v\f"];

    private static readonly string[] LineEnds = Environment.GetEnvironmentVariable("PROXYGATEWAY_NIGHTLY") == "1" ? AllLineEnds : AllLineEnds[..2];

    private static readonly string[] Attacks =
    [
        "data: [DONE]", "event: message_stop\ndata: {\"type\":\"message_stop\"}", "id: 1\nretry: 1\ndata: x", ": keepalive", "\uFEFFdata: x", "</script>", "\\n\\ndata: x", "\"}\n\ndata: {\"error\":1}",
        "{\"done\":true}", "[DONE]", "\\u000a\\u000adata: x", "\u202E\u200B\uFEFF", "😀\uD83D\uDE00", "%0d%0adata:%20x",
    ];

    public static TheoryData<string> Formats => [.. HostileCases.All.Keys.Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Formats))]
    public void NaughtyTextInEveryPlace_IsAlwaysTheSameNumberOfEvents(string format)
    {
        var harmless = HostileCases.All[format].Write("x");
        var counts = harmless.Select(h => Count(h.Bytes, h.Framing)).ToList();
        Assert.All(harmless, h => Assert.True(h.Bytes.Length > 0, $"{h.Place}: nothing was written"));
        var runs = 0;
        foreach (var text in Naughty())
        {
            var written = HostileCases.All[format].Write(text);
            for (var i = 0; i < written.Count; i++)
            {
                Assert.True(written[i].Bytes.Length > 0, $"{written[i].Place} writes nothing for {JsonSerializer.Serialize(text)}");
                var count = Count(written[i].Bytes, written[i].Framing);
                Assert.True(counts[i] == count, $"{written[i].Place}: {count} events, not {counts[i]}, for {JsonSerializer.Serialize(text)}");
                runs++;
            }
        }

        TestContext.Current.TestOutputHelper?.WriteLine($"{format}: {runs} texts written");
    }

    private static IEnumerable<string> Naughty()
    {
        var folder = SharedData.Require();
        Assert.SkipWhen(folder is null, SharedData.Missing);
        var known = JsonSerializer.Deserialize<string[]>(File.ReadAllBytes(Path.Combine(folder, "blns", "blns.json")))!;
        return known.Concat(Attacks).Select(n => string.Concat(n.EnumerateRunes().Take(Longest))).Where(n => n.Length > 0).SelectMany(n => LineEnds.Select(e => e + n + e + "tail" + e));
    }

    private static int Count(byte[] bytes, StreamFraming framing) => framing == StreamFraming.JsonLines ? CountLines(bytes) : CountEvents(bytes);

    private static int CountEvents(byte[] bytes)
    {
        var blocks = SseBlock.ReadAll(bytes, out var remainder);
        Assert.Equal(bytes.Length, remainder);
        using var stream = new MemoryStream(bytes);
        var other = SseParser.Create(stream, (type, data) => (type, Encoding.UTF8.GetString(data))).Enumerate().Select(e => e.Data).ToList();
        var own = blocks.Where(b => b.HasData).Select(b => (b.EventName.Length == 0 ? SseParser.EventTypeDefault : b.EventName, Encoding.UTF8.GetString(b.Data))).ToList();
        Assert.Equal(own, other);
        foreach (var (_, data) in own.Where(e => e.Item2 != "[DONE]"))
        {
            using var document = JsonDocument.Parse(data);
        }

        return own.Count;
    }

    private static int CountLines(byte[] bytes)
    {
        var own = Encoding.UTF8.GetString(bytes).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        using var reader = new StreamReader(new MemoryStream(bytes));
        var other = new List<string>();
        while (reader.ReadLine() is { } line)
        {
            other.Add(line);
        }

        Assert.Equal(own, other);
        foreach (var line in own)
        {
            using var document = JsonDocument.Parse(line);
        }

        return own.Length;
    }
}
