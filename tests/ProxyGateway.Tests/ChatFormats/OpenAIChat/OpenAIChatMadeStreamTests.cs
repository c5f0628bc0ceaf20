using System.Text;
using System.Text.Json;
using ProxyGateway.StreamingFallback.ChatFormats;
using ProxyGateway.StreamingFallback.ChatFormats.OpenAIChat;
using Xunit;

namespace ProxyGateway.Tests.ChatFormats.OpenAIChat;

/// <summary>The chunks that are made of a whole answer, chunk by chunk.</summary>
public sealed class OpenAIChatMadeStreamTests
{
    private static readonly GuardedStream Chat = new(new OpenAIChatFormat(), """{"model":"asked","stream":true,"stream_options":{"include_usage":true}}""");

    [Fact]
    public void WholeAnswer_ChunkByChunk()
    {
        var made = Made(null, """
            {"id":"x","created":5,"model":"m","system_fingerprint":"fp","service_tier":"flex","usage":{"total_tokens":3},"choices":[
              {"index":0,"message":{"role":"assistant","reasoning":"r","content":"c","refusal":"n"},"finish_reason":"stop"}]}
            """);
        const string Identity = """{"id":"x","object":"chat.completion.chunk","created":5,"model":"m","service_tier":"flex","system_fingerprint":"fp","choices":[""";
        Assert.Equal(
            [
                Identity + """{"index":0,"delta":{"role":"assistant","content":""},"logprobs":null,"finish_reason":null}]}""",
                Identity + """{"index":0,"delta":{"reasoning":"r"},"logprobs":null,"finish_reason":null}]}""",
                Identity + """{"index":0,"delta":{"content":"c"},"logprobs":null,"finish_reason":null}]}""",
                Identity + """{"index":0,"delta":{"refusal":"n"},"logprobs":null,"finish_reason":null}]}""",
                Identity + """{"index":0,"delta":{},"logprobs":null,"finish_reason":"stop"}]}""",
                Identity + """],"usage":{"total_tokens":3}}""",
                "[DONE]",
            ],
            made);
    }

    [Fact]
    public void RestOfAnAnswer_HasTheIdentityOfTheFirstChunk()
    {
        using var reader = Read("""{"id":"first","created":1,"model":"m1","system_fingerprint":"fp1","service_tier":"t1","choices":[{"index":0,"delta":{"content":"a"}}]}""");
        var made = Made(reader, """{"id":"second","created":2,"model":"m2","system_fingerprint":"fp2","service_tier":"t2","choices":[{"index":0,"message":{"content":"ab"},"finish_reason":"stop"}]}""");
        const string Identity = """{"id":"first","object":"chat.completion.chunk","created":1,"model":"m1","service_tier":"t1","system_fingerprint":"fp1",""";
        Assert.All(made[..^1], chunk => Assert.StartsWith(Identity, chunk, StringComparison.Ordinal));
    }

    [Fact]
    public void RestOfAnAnswer_TakesNoOptionalMembersFromIt()
    {
        using var reader = Read("""{"id":"first","created":1,"model":"m1","choices":[{"index":0,"delta":{"content":"a"}}]}""");
        var made = Made(reader, """{"id":"second","system_fingerprint":"fp2","service_tier":"t2","choices":[{"index":0,"message":{"content":"ab"},"finish_reason":"stop"}]}""");
        Assert.All(made, chunk => Assert.DoesNotContain("2\"", chunk, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("\"" + "iiiiiiii" + "\"", true)]
    [InlineData("{\"id\":\"y\"}", false)]
    [InlineData("[1]", false)]
    public void IdentityThatIsNone_IsTheAnswers(string id, bool isKept)
    {
        using var reader = Read($$$"""{"id":{{{id}}},"choices":[{"index":0,"delta":{"content":"a"}}]}""");
        var made = Made(reader, """{"id":"second","choices":[{"index":0,"message":{"content":"ab"},"finish_reason":"stop"}]}""");
        Assert.StartsWith($$"""{"id":{{(isKept ? id : "\"second\"")}},"object":"chat.completion.chunk","created":0,"model":"asked",""", made[0], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1024, true)]
    [InlineData(1025, false)]
    public void IdentityLongerThanOneIs_IsNotKept(int bytes, bool isKept)
    {
        var id = new string('i', bytes - 2);
        using var reader = Read($$$"""{"id":"{{{id}}}","choices":[{"index":0,"delta":{"content":"a"}}]}""");
        var made = Made(reader, """{"id":"second","choices":[{"index":0,"message":{"content":"ab"},"finish_reason":"stop"}]}""");
        Assert.Equal(isKept, made[0].Contains(id, StringComparison.Ordinal));
    }

    [Fact]
    public void NobodyNamesAModel_TheNameIsEmpty()
    {
        var nameless = new GuardedStream(new OpenAIChatFormat(), """{"stream":true}""");
        Assert.Contains("\"model\":\"\"", nameless.Continue(null, """{"choices":[{"message":{"content":"a"},"finish_reason":"stop"}]}""").Text);
    }

    [Theory]
    [InlineData("""{"choices":[],"usage":{"total_tokens":3}}""", 0)]
    [InlineData("""{"choices":[{"index":0,"delta":{}}],"usage":{"total_tokens":3}}""", 1)]
    [InlineData("""{"choices":[],"usage":null}""", 1)]
    public void Usage_ComesWhereItHasNotCome(string chunk, int times)
    {
        using var reader = Read("""{"choices":[{"index":0,"delta":{"content":"a"}}]}""", chunk, """{"choices":[]}""");
        var made = Made(reader, """{"usage":{"total_tokens":4},"choices":[{"index":0,"message":{"content":"a"},"finish_reason":"stop"}]}""");
        Assert.Equal(times, made.Count(c => c.Contains("\"usage\":{\"total_tokens\":4}", StringComparison.Ordinal)));
    }

    [Fact]
    public void Logprobs_ComeWithTheWholeTextOrNotAtAll()
    {
        var text = new string('w', 5000);
        var answer = $$$"""{"choices":[{"index":0,"logprobs":{"content":[]},"message":{"content":"{{{text}}}"},"finish_reason":"stop"}]}""";
        Assert.Single(Made(null, answer), c => c.Contains($$"""{"content":"{{text}}"},"logprobs":{"content":[]}""", StringComparison.Ordinal));

        using var reader = Read("""{"choices":[{"index":0,"delta":{"content":"w"}}]}""");
        Assert.DoesNotContain(Made(reader, answer), c => c.Contains("\"logprobs\":{", StringComparison.Ordinal));
    }

    [Fact]
    public void ChoicesInAnyOrder_ComeInTheirs()
    {
        var made = Made(null, """{"choices":[{"index":1,"message":{"content":"b"},"finish_reason":"stop"},{"index":0,"message":{"content":"a"},"finish_reason":"stop"}]}""");
        Assert.Equal([0, 0, 0, 1, 1, 1], made[..^1].Select(Index));
    }

    [Theory]
    [InlineData("")]
    [InlineData("\"index\":\"0\",")]
    [InlineData("\"index\":0.5,")]
    public void ChoiceWithoutAnIndex_IsCountedByItsPlace(string index)
    {
        var made = Made(null, $$$"""{"choices":[{{{{index}}}"message":{"content":"a","tool_calls":null,"function_call":null},"finish_reason":"stop"}]}""");
        Assert.Equal([0, 0, 0], made[..^1].Select(Index));
    }

    [Fact]
    public void CallsWithoutIdOrArguments_GetThem()
    {
        const string Answer = """{"choices":[{"index":2,"message":{"tool_calls":[{"id":"t","function":{"name":"f"}},{"function":{"name":"g"}}]},"finish_reason":"tool_calls"}]}""";
        var made = string.Concat(Made(null, Answer));
        Assert.Contains("""{"index":0,"id":"t","type":"function","function":{"name":"f","arguments":""}}""", made, StringComparison.Ordinal);
        Assert.Contains("""{"index":1,"id":"call_2_1","type":"function","function":{"name":"g","arguments":""}}""", made, StringComparison.Ordinal);
    }

    [Fact]
    public void CallsThatAreWhole_AreNotTouchedAgain_AndTheNextGoesOnBehindThem()
    {
        using var reader = Read("""{"choices":[{"index":0,"delta":{"tool_calls":[{"index":4,"id":"t","function":{"name":"f"}},{"index":7,"id":"u","function":{"name":"g","arguments":"{"}}]}}]}""");
        var made = string.Concat(Made(reader, """{"choices":[{"index":0,"message":{"tool_calls":[{"function":{"name":"f"}},{"function":{"name":"g","arguments":"{}"}},{"id":"v","function":{"name":"h"}}]},"finish_reason":"tool_calls"}]}"""));
        Assert.DoesNotContain("\"index\":4", made, StringComparison.Ordinal);
        Assert.Contains("""[{"index":7,"function":{"arguments":"}"}}]""", made, StringComparison.Ordinal);
        Assert.Contains("""[{"index":8,"id":"v","type":"function","function":{"name":"h","arguments":""}}]""", made, StringComparison.Ordinal);
    }

    [Fact]
    public void FewerCallsThanWereDelivered_AreDivergent()
    {
        using var reader = Read("""{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"t","function":{"name":"f","arguments":"{}"}}]}}]}""");
        Assert.Equal(AnswerVerdict.Divergent, Chat.Continue(reader, """{"choices":[{"index":0,"message":{"content":"no"},"finish_reason":"stop"}]}""").Verdict);
    }

    [Theory]
    [InlineData(null, "\"delta\":{\"function_call\":{\"name\":\"f\",\"arguments\":\"{\\\"a\\\":1}\"}}")]
    [InlineData("""{"name":"f","arguments":"{\"a\""}""", "\"delta\":{\"function_call\":{\"arguments\":\":1}\"}}")]
    public void LegacyFunctionCall_IsMadeAndContinued(string? delivered, string expected)
    {
        using var reader = delivered is null ? null : Read($$$"""{"choices":[{"index":0,"delta":{"function_call":{{{delivered}}}}}]}""");
        var made = Made(reader, """{"choices":[{"index":0,"message":{"content":null,"function_call":{"name":"f","arguments":"{\"a\":1}"}},"finish_reason":"function_call"}]}""");
        Assert.Single(made, c => c.Contains(expected, StringComparison.Ordinal));
        Assert.DoesNotContain("tool_calls", string.Concat(made), StringComparison.Ordinal);
        Assert.Contains("\"finish_reason\":\"function_call\"", made[^2], StringComparison.Ordinal);
    }

    [Fact]
    public void LegacyFunctionCall_IsNotContinuedByAToolCall()
    {
        using var reader = Read("""{"choices":[{"index":0,"delta":{"function_call":{"name":"f","arguments":"{"}}}]}""");
        Assert.Equal(AnswerVerdict.Divergent, Chat.Continue(reader, """{"choices":[{"index":0,"message":{"tool_calls":[{"function":{"name":"f","arguments":"{}"}}]},"finish_reason":"tool_calls"}]}""").Verdict);
    }

    private static ChatStreamReader Read(params string[] chunks)
    {
        var reader = Chat.NewReader();
        foreach (var chunk in chunks)
        {
            var meaning = reader.Read(chunk);
            Assert.True(meaning is EventMeaning.Content or EventMeaning.Lifecycle, $"{meaning}: {chunk}");
        }

        Assert.True(reader.CanSplice);
        return reader;
    }

    private static List<string> Made(ChatStreamReader? delivered, string answer)
    {
        var (verdict, text) = Chat.Continue(delivered, answer);
        Assert.Equal(AnswerVerdict.Usable, verdict);
        return FormatAsserts.Events(Chat.Format, text);
    }

    private static int Index(string chunk)
    {
        using var document = JsonDocument.Parse(Encoding.UTF8.GetBytes(chunk));
        return document.RootElement.GetProperty("choices")[0].GetProperty("index").GetInt32();
    }
}
