using System.Text;
using System.Text.Json;
using ProxyGateway.StreamingFallback.ChatFormats;
using Xunit;

namespace ProxyGateway.Tests.ChatFormats;

/// <summary>
/// Events that are compared with one that was parsed before count for as much as if each were parsed: streams of many shapes are read
/// once as they are, and once with white space that differs from event to event, so that nothing is ever learnt.
/// </summary>
public sealed class LearntTextTests
{
    private const string A2ARequest = """{"jsonrpc":"2.0","id":1,"method":"message/stream","params":{}}""";

    [Theory]
    [InlineData("gemini", "{}", "/v1beta/models/m:streamGenerateContent?alt=sse")]
    [InlineData("a2a", A2ARequest, "/")]
    public void StreamsOfManyShapes_ReadTheSameWithAndWithoutLearning(string format, string request, string path)
    {
        var exchange = new GuardedStream(ChatFormatRegistry.Find(format)!, request, path);
        for (var seed = 0; seed < 400; seed++)
        {
            var random = new Random(seed);
            using var parsing = exchange.NewReader(((seed % 7) + 1) * 100);
            using var reference = exchange.NewReader(((seed % 7) + 1) * 100);
            for (var i = 0; i < 60; i++)
            {
                var json = format == "gemini" ? Gemini(random) : A2A(random);
                Assert.Equal(Read(parsing, Padded(json, i)), Read(reference, json));
                Assert.Equal((parsing.CanSplice, parsing.Delivered, parsing.IsFinished), (reference.CanSplice, reference.Delivered, reference.IsFinished));
            }

            Assert.Equal(Contents(parsing), Contents(reference));
        }
    }

    private static EventMeaning Read(ChatStreamReader reader, string json) => reader.Read(json);

    /// <summary>White space behind the first brace, in an amount that the last event did not have.</summary>
    private static string Padded(string json, int i) => json.StartsWith('{') ? string.Concat("{", new string(' ', (i % 2) + 1), json.AsSpan(1)) : json;

    private static string Gemini(Random random)
    {
        var text = Text(random);
        var index = random.Next(12) == 0 ? 1 : 0;
        var part = random.Next(14) switch
        {
            0 => $$"""{"text":{{text}},"thought":true}""",
            1 => """{"functionCall":{"name":"f","args":{}}}""",
            2 => $$"""{"text":{{text}},"thoughtSignature":"s"}""",
            3 => $$"""{"text":{{text}}},{"text":{{text}}}""",
            _ => $$"""{"text":{{text}}}""",
        };
        var finish = random.Next(40) == 0 ? ",\"finishReason\":\"STOP\"" : "";
        var usage = random.Next(5) == 0 ? "" : $",\"usageMetadata\":{{\"promptTokenCount\":{random.Next(3)},\"candidatesTokenCount\":{random.Next(2000)}}}";
        return random.Next(25) == 0
            ? "{\"candidates\":[}"
            : $"{{\"candidates\":[{{\"content\":{{\"parts\":[{part}],\"role\":\"model\"}}{finish},\"index\":{index}}}]{usage},\"responseId\":\"r\"}}";
    }

    private static string A2A(Random random)
    {
        var text = Text(random);
        var result = random.Next(16) switch
        {
            0 => """{"kind":"status-update","taskId":"t","contextId":"c","status":{"state":"working"}}""",
            1 => """{"kind":"status-update","taskId":"t","contextId":"c","status":{"state":"working","message":{"parts":[{"kind":"text","text":"x"}]}}}""",
            2 => Chunk(random.Next(2), text, append: true, last: true),
            3 => Chunk(random.Next(4), text, append: false),
            _ => Chunk(random.Next(8) == 0 ? 1 : 0, text, append: random.Next(8) > 0),
        };
        return random.Next(25) == 0 ? "{\"result\":{]" : $$"""{"jsonrpc":"2.0","id":1,"result":{{result}}}""";

        static string Chunk(int artifact, string text, bool append, bool last = false) =>
            $$$"""{"kind":"artifact-update","taskId":"t","contextId":"c","artifact":{"artifactId":"a{{{artifact}}}","parts":[{"kind":"text","text":{{{text}}}}]},"append":{{{(append ? "true" : "false")}}}{{{(last ? ",\"lastChunk\":true" : "")}}} }""";
    }

    private static string Text(Random random) => random.Next(10) switch
    {
        0 => "\"\"",
        1 => "\"line\\n\"",
        2 => "\"\\u00e9\"",
        3 => "\"ünïcode 😀\"",
        _ => JsonSerializer.Serialize($"word{random.Next(1000)} "),
    };

    private static string Contents(ChatStreamReader reader) => reader switch
    {
        StreamingFallback.ChatFormats.Gemini.GeminiReader gemini => string.Join('|', gemini.Candidates.SelectMany(c => c.Blocks.Select(b => $"{c.Index} {b.Kind} {b.HasSignature} {Encoding.UTF8.GetString(b.Text.Span)}"))),
        StreamingFallback.ChatFormats.A2A.A2AReader a2a => string.Join('|', a2a.Artifacts.Select(a => $"{Encoding.UTF8.GetString(a.Id)} {a.Closed} {Encoding.UTF8.GetString(a.Text.Span)}")),
        _ => throw new ArgumentOutOfRangeException(nameof(reader)),
    };
}
