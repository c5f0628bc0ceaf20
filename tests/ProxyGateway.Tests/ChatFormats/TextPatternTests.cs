using System.Text;
using System.Text.Json;
using ProxyGateway.StreamingFallback.Buffers;
using ProxyGateway.StreamingFallback.ChatFormats;
using ProxyGateway.StreamingFallback.ChatFormats.OpenAIChat;
using ProxyGateway.StreamingFallback.Configuration;
using Xunit;

namespace ProxyGateway.Tests.ChatFormats;

public sealed class TextPatternTests
{
    private const string Before = """{"choices":[{"index":0,"delta":{"content":" """;
    private const string After = """ "},"finish_reason":null}]}""";

    [Theory]
    [InlineData("other", true)]
    [InlineData("ünïcode 😀", true)]
    [InlineData("x", true)]
    [InlineData("", false)]
    [InlineData("a\\nb", false)]
    [InlineData("a\"b", false)]
    [InlineData("a\tb", false)]
    [InlineData("a\nb", false)]
    public void ChunkOfTheSameShape_MatchesIfItsTextIsPlain(string text, bool expected)
    {
        using var channel = new PooledBuffer();
        var pattern = Learnt(channel);
        Assert.Equal(expected, pattern.Matches(Encoding.UTF8.GetBytes(Before + text + After), out var found, out var into));
        if (expected)
        {
            Assert.Equal(text, Encoding.UTF8.GetString(found));
            Assert.Same(channel, into);
        }
    }

    [Theory]
    [InlineData("""{"choices":[{"index":1,"delta":{"content":" other "},"finish_reason":null}]}""")]
    [InlineData("""{"choices":[{"index":0,"delta":{"content":" other "},"finish_reason":"stop"}]}""")]
    [InlineData("""{"choices":[{"index":0,"delta":{"content":" other ","x":1},"finish_reason":null}]}""")]
    [InlineData("""{"choices":[{"index":0,"delta":{"content":" "},"finish_reason":null}]}""")]
    public void ChunkOfAnotherShape_DoesNotMatch(string chunk)
    {
        using var channel = new PooledBuffer();
        var pattern = Learnt(channel);
        Assert.False(pattern.Matches(Encoding.UTF8.GetBytes(chunk), out _, out _));
    }

    [Theory]
    [InlineData("""{"t":"other","n":0,"usage":{"in":9,"out":12,"by":[{"k":"TEXT","c":3}]},"v":"m1"}""", true)]
    [InlineData("""{"t":"other","n":0,"usage":{"in":9,"out":7,"by":[{"k":"TEXT","c":1000}]},"v":"m1"}""", true)]
    [InlineData("""{"t":"other","n":0,"usage":{"in":0,"out":7,"by":[{"k":"TEXT","c":3}]},"v":"m1"}""", true)]
    [InlineData("""{"t":"other","n":1,"usage":{"in":9,"out":12,"by":[{"k":"TEXT","c":3}]},"v":"m1"}""", false)]
    [InlineData("""{"t":"other","n":0,"usage":{"in":9,"out":12,"by":[{"k":"TEXT","c":3}]},"v":"m2"}""", false)]
    [InlineData("""{"t":"other","n":0,"usage":{"in":9,"out":012,"by":[{"k":"TEXT","c":3}]},"v":"m1"}""", false)]
    [InlineData("""{"t":"other","n":0,"usage":{"in":9,"out":1.5,"by":[{"k":"TEXT","c":3}]},"v":"m1"}""", false)]
    [InlineData("""{"t":"other","n":0,"usage":{"in":9,"out":1e5,"by":[{"k":"TEXT","c":3}]},"v":"m1"}""", false)]
    [InlineData("""{"t":"other","n":0,"usage":{"in":9,"out":-1,"by":[{"k":"TEXT","c":3}]},"v":"m1"}""", false)]
    [InlineData("""{"t":"other","n":0,"usage":{"in":9,"out":12 1,"by":[{"k":"TEXT","c":3}]},"v":"m1"}""", false)]
    [InlineData("""{"t":"other","n":0,"usage":{"in":9,"out":,"by":[{"k":"TEXT","c":3}]},"v":"m1"}""", false)]
    [InlineData("""{"t":"other","n":0,"usage":{"in":9,"out":12,"by":[{"k":"TEXT","c":3}],"x":1},"v":"m1"}""", false)]
    [InlineData("""{"t":"other","n":0,"usage":{"in":9,"out":12,"by":[{"k":"IMAGE","c":3}]},"v":"m1"}""", false)]
    [InlineData("""{"t":"other","n":0,"usage":{"in":9},"v":"m1"}""", false)]
    [InlineData("""{"t":"o\"r","n":0,"usage":{"in":9,"out":12,"by":[{"k":"TEXT","c":3}]},"v":"m1"}""", false)]
    [InlineData("""{"t":"","n":0,"usage":{"in":9,"out":12,"by":[{"k":"TEXT","c":3}]},"v":"m1"}""", false)]
    public void Counters_MayDifferInWholeNumbersOnly(string json, bool expected)
    {
        var learnt = """{"t":"text","n":0,"usage":{"in":9,"out":11,"by":[{"k":"TEXT","c":2}]},"v":"m1"}"""u8;
        using var channel = new PooledBuffer();
        var pattern = new TextPattern();
        var text = learnt.IndexOf("text"u8);
        pattern.Learn(learnt, text..(text + 4), channel, learnt.IndexOf("{\"in"u8)..(learnt.IndexOf("}]}"u8) + 3));

        Assert.Equal(expected, pattern.Matches(Encoding.UTF8.GetBytes(json), out var found, out _));
        Assert.Equal(expected ? "other" : "", expected ? Encoding.UTF8.GetString(found) : "");
        Assert.True(pattern.Matches(learnt, out _, out _));
        pattern.Forget();
        Assert.False(pattern.Matches(learnt, out _, out _));
    }

    [Fact]
    public void NothingLearnt_DoesNotMatch()
    {
        var pattern = new TextPattern();
        Assert.False(pattern.Matches("{}"u8, out _, out _));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void ChunksOfManyShapes_KeepTheSameTextsAsAPlainReading(int seed)
    {
        string[] pieces = ["a", "plain words", "line\nbreak", "\"quoted\"", "back\\slash", "", "ünï", "😀", "}},\"finish_reason\":null}]}", "\u007f"];
        string[] channels = ["content", "reasoning_content", "refusal"];
        var random = new Random(seed);
        var expected = new Dictionary<(int, string), string>();
        using var reader = (OpenAIChatReader)new OpenAIChatFormat().NewReader(new ChatRequest { Streaming = true, ChoiceCount = 2 }, 1 << 20, TerminalProfile.Auto);
        for (var i = 0; i < 2000; i++)
        {
            // Mostly as the one before, now and then not: a shape is learnt, used and replaced.
            var choice = random.Next(8) == 0 ? 1 : 0;
            var channel = channels[random.Next(8) == 0 ? random.Next(channels.Length) : 0];
            var text = pieces[random.Next(pieces.Length)];
            var chunk = $$"""{"id":"c","choices":[{"index":{{choice}},"delta":{"{{channel}}":{{JsonSerializer.Serialize(text)}}},"finish_reason":null}]}""";
            var data = Encoding.UTF8.GetBytes(chunk);
            var meaning = reader.Read(new StreamEvent(data, default, data, hasData: true));
            Assert.Equal(text.Length > 0 ? EventMeaning.Content : EventMeaning.Lifecycle, meaning);
            expected[(choice, channel)] = expected.GetValueOrDefault((choice, channel), "") + text;
        }

        foreach (var ((choice, channel), text) in expected)
        {
            var delivered = reader.Choices.Single(c => c.Index == choice);
            var kind = channel switch { "content" => TextChannel.Content, "refusal" => TextChannel.Refusal, _ => TextChannel.ReasoningContent };
            Assert.Equal(text, Encoding.UTF8.GetString(delivered.TextOrEmpty(kind)));
        }
    }

    [Fact]
    public void TextOverTheLimit_IsNoLongerKeptAsInAPlainReading()
    {
        using var reader = (OpenAIChatReader)new OpenAIChatFormat().NewReader(new ChatRequest { Streaming = true }, 20, TerminalProfile.Auto);
        for (var i = 0; i < 6; i++)
        {
            var data = Encoding.UTF8.GetBytes(Before + "12345" + After);
            Assert.Equal(EventMeaning.Content, reader.Read(new StreamEvent(data, default, data, hasData: true)));
        }

        Assert.False(reader.CanSplice);
        Assert.Equal(0, reader.Choices[0].TextOrEmpty(TextChannel.Content).Length);
    }

    [Fact]
    public void IndexThatStandsTwice_IsMalformed()
    {
        using var reader = new OpenAIChatFormat().NewReader(new ChatRequest { Streaming = true }, 1 << 20, TerminalProfile.Auto);
        foreach (var chunk in new[]
        {
            """{"choices":[{"index":0,"index":1,"delta":{"content":"x"}}]}""",
            """{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"index":1,"function":{"name":"f"}}]}}]}""",
        })
        {
            var data = Encoding.UTF8.GetBytes(chunk);
            Assert.Equal(EventMeaning.Malformed, reader.Read(new StreamEvent(data, default, data, hasData: true)));
        }
    }

    private static TextPattern Learnt(PooledBuffer channel)
    {
        var pattern = new TextPattern();
        pattern.Learn(Encoding.UTF8.GetBytes(Before + "first" + After), Before.Length..(Before.Length + 5), channel);
        return pattern;
    }
}
