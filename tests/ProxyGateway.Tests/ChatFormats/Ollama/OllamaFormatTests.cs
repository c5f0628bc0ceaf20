using System.Text;
using System.Text.Json;
using ProxyGateway.StreamingFallback.ChatFormats;
using ProxyGateway.StreamingFallback.ChatFormats.Ollama;
using ProxyGateway.StreamingFallback.Configuration;
using ProxyGateway.StreamingFallback.Guard;
using ProxyGateway.StreamingFallback.Telemetry;
using Xunit;
using static ProxyGateway.Tests.ChatFormats.FormatAsserts;

namespace ProxyGateway.Tests.ChatFormats.Ollama;

public sealed class OllamaFormatTests
{
    private const string Body = """{"model":"m","messages":[{"role":"user","content":"hi"}]}""";
    private const string Call = """{"id":"call_1","function":{"index":0,"name":"f","arguments":{"city":"Paris","days":1.0}}}""";

    private const string Answer = """
        {"model":"m","created_at":"2026-01-01T00:00:09Z","message":{"role":"assistant","content":"Grüße an Bravo","thinking":"Let me see","tool_calls":[{"id":"call_9","function":{"index":0,"name":"f","arguments":{"days":1,"city":"Paris"}}},{"function":{"name":"g","arguments":{}}}]},"done_reason":"stop","done":true,"total_duration":9,"eval_count":3}
        """;

    private static readonly OllamaFormat Format = new();
    private static readonly GuardedStream Exchange = new(Format, Body);

    private static readonly string Healthy =
        Line("\"content\":\"\",\"thinking\":\"Let me\"") + Line("\"content\":\"\",\"thinking\":\" see\"")
        + Line("\"content\":\"Grü\"") + Line("\"content\":\"ße an \"") + Line("\"content\":\"Bravo\"")
        + Line($"\"content\":\"\",\"tool_calls\":[{Call}]")
        + Line("\"content\":\"\",\"tool_calls\":[{\"function\":{\"name\":\"g\",\"arguments\":{}}}]")
        + """{"model":"m","created_at":"2026-01-01T00:00:02Z","message":{"role":"assistant","content":""},"done_reason":"stop","done":true,"total_duration":7,"eval_count":3}""" + "\n";

    [Theory]
    [InlineData("""{"message":{"role":"assistant","content":"a"},"done":false}""", "Content")]
    [InlineData("""{"message":{"role":"assistant","content":""},"done":false}""", "Lifecycle")]
    [InlineData("""{"message":{"content":"","thinking":"a"},"done":false}""", "Content")]
    [InlineData("""{"message":{"content":"","tool_calls":[{"function":{"name":"f","arguments":{}}}]},"done":false}""", "Content")]
    [InlineData("""{"message":{"content":"","tool_calls":[]},"done":false}""", "Lifecycle")]
    [InlineData("""{"message":{"content":"","images":["AA=="]},"done":false}""", "Content")]
    [InlineData("""{"message":{"content":""},"done":true}""", "Done")]
    [InlineData("""{"message":{"content":"a"},"done":true,"done_reason":"length"}""", "Content, Done")]
    [InlineData("""{"message":{"content":"a","content":"b"}}""", "Malformed")]
    [InlineData("""{"done":false,"done":true}""", "Malformed")]
    [InlineData("""{"error":"model failed"}""", "Error")]
    [InlineData("""{"error":{"message":"x"}}""", "Error")]
    [InlineData("""{"message":{"content":"a"}""", "Malformed")]
    [InlineData("{\"error\":\"m\"", "Malformed")]
    [InlineData("""{"message":{"content":"a"}} {}""", "Malformed")]
    [InlineData("[1]", "Malformed")]
    [InlineData("  ", "Lifecycle")]
    public void Line_Meaning(string line, string meaning)
    {
        using var reader = Exchange.NewReader();
        Assert.Equal(meaning, reader.Read(line).ToString());
    }

    [Fact]
    public void HeartbeatAfterTextThatIsNone_IsWritten()
    {
        using var reader = Exchange.NewReader();
        reader.Read("""{"model":"\ud83d","created_at":"\ud83d","message":{"role":"assistant","content":"i"},"done":false}""");

        Assert.Contains("\"done\":false", Written(o => Format.WriteHeartbeat(reader, o)), StringComparison.Ordinal);
    }

    [Fact]
    public void RefusedLine_LeavesTheReaderAsItWas()
    {
        using var reader = (OllamaReader)Exchange.NewReader();
        reader.Read("""{"model":"m","message":{"content":"a"}}""");
        Assert.Equal(EventMeaning.Malformed, reader.Read("""{"message":{"content":"b","thinking":"c","tool_calls":[1]},"done":true"""));
        Assert.Equal(EventMeaning.Error, reader.Read("""{"message":{"content":"b","images":[1]},"error":"x"}"""));
        Assert.Equal("a", Encoding.UTF8.GetString(reader.Content));
        Assert.Equal(0, reader.Thinking.Length);
        Assert.Empty(reader.ToolCalls);
        Assert.True(reader.CanSplice);
        Assert.Equal((DeliveredKind.Text, false), (reader.Delivered, reader.IsFinished));
    }

    [Theory]
    [InlineData("""{"model":"a"}""", true)]
    [InlineData("""{"stream":null}""", true)]
    [InlineData("""{"stream":true}""", true)]
    [InlineData("""{"stream":false}""", false)]
    public void AbsentStream_MeansStreaming(string body, bool streaming) =>
        Assert.Equal(streaming, GuardedStream.ReadRequest(Format, body).Streaming);

    [Theory]
    [InlineData("""{"stream":true,"stream":true}""")]
    [InlineData("""{"model":"a","model":"b"}""")]
    [InlineData("""{"stream":1}""")]
    [InlineData("{")]
    [InlineData("")]
    public void UnreadableRequest_IsRefusedInWords(string body) =>
        Assert.False(string.IsNullOrEmpty(Format.ReadRequest(Encoding.UTF8.GetBytes(body), "/api/chat", out _)));

    [Theory]
    [InlineData("""{ "model":"a" , "x":1.0}""", null, """{"stream":false, "model":"a" , "x":1.0}""")]
    [InlineData("""{"model":"a", "stream" : true }""", null, """{"model":"a", "stream" : false }""")]
    [InlineData("""{"stream":null}""", null, """{"stream":false}""")]
    [InlineData("""{"stream":false}""", null, """{"stream":false}""")]
    [InlineData("""{"model":"a\/b"}""", "c", """{"stream":false,"model":"c"}""")]
    [InlineData("{}", "c", """{"stream":false,"model":"c"}""")]
    [InlineData("{}", null, """{"stream":false}""")]
    public void Replay_SaysStreamFalse(string body, string? model, string expected) =>
        Assert.Equal(expected, Format.AttemptBody(body, AttemptMode.NonStreaming, model));

    [Fact]
    public void HealthyStream_PassesByteForByte()
    {
        var outcome = Exchange.AssertPiecesDoNotMatter(Encoding.UTF8.GetBytes(Healthy));
        Assert.Equal(Healthy, outcome.Text);
        Assert.Equal(GuardState.Done, outcome.BeforeEnd);
        Assert.Equal(DeliveredKind.ToolCallComplete, outcome.Reader.Delivered);
    }

    [Fact]
    public void WindowsLineEnds_PassByteForByte()
    {
        var stream = Healthy.Replace("\n", "\r\n");
        var outcome = Exchange.AssertPiecesDoNotMatter(Encoding.UTF8.GetBytes(stream));
        Assert.Equal(stream, outcome.Text);
        Assert.Equal(GuardState.Done, outcome.State);
    }

    [Fact]
    public void LastLineWithoutLineEnd_IsComplete() => Assert.Equal(Healthy, Exchange.Run(Healthy.TrimEnd('\n')).Text);

    [Fact]
    public void DamagedStream_NeverThrows() => Exchange.AssertDamageIsSurvived(Healthy, Answer);

    [Fact]
    public void EveryCut_RecoversWithTheSameAnswer() => Exchange.AssertEveryCutRecovers(Healthy, Answer, Decode);

    [Fact]
    public void EveryCutOfPlainText_Recovers()
    {
        var stream = Line("\"content\":\"\"") + Line("\"content\":\"one \\\"two\\\"\"") + Line("\"content\":\" \\ud83d\\ude80\"")
            + """{"model":"m","created_at":"t","message":{"role":"assistant","content":" end"},"done":true}""" + "\n";
        Exchange.AssertEveryCutRecovers(stream, """{"message":{"role":"assistant","content":"one \"two\" 🚀 end"},"done":true}""", Decode);
    }

    [Theory]
    [InlineData("thinking", "\"content\":\"\",\"thinking\":\"Let us\"")]
    [InlineData("thinking cut when content began", "\"content\":\"Grü\",\"thinking\":\"Let me\"")]
    [InlineData("content", "\"content\":\"Hello\",\"thinking\":\"Let me see\"")]
    [InlineData("content cut when a call came", "\"content\":\"Grüße\",\"thinking\":\"Let me see\",\"tool_calls\":[{\"function\":{\"name\":\"f\",\"arguments\":{\"city\":\"Paris\",\"days\":1}}}]")]
    [InlineData("call's name", "\"content\":\"Grüße an Bravo\",\"thinking\":\"Let me see\",\"tool_calls\":[{\"function\":{\"name\":\"h\",\"arguments\":{\"city\":\"Paris\",\"days\":1}}}]")]
    [InlineData("call's arguments", "\"content\":\"Grüße an Bravo\",\"thinking\":\"Let me see\",\"tool_calls\":[{\"function\":{\"name\":\"f\",\"arguments\":{\"city\":\"Rome\",\"days\":1}}}]")]
    [InlineData("image", "\"content\":\"\",\"images\":[\"AA==\"]")]
    public void Divergence_WritesNothing(string where, string message)
    {
        var (verdict, client) = Exchange.Recover(Line(message), Answer);
        Assert.True(verdict == AnswerVerdict.Divergent, where);
        Assert.Equal(Line(message), client);
    }

    [Fact]
    public void MoreCallsThanTheAnswerHas_Diverge()
    {
        var (verdict, _) = Exchange.Recover(
            Line($"\"content\":\"Grüße an Bravo\",\"thinking\":\"Let me see\",\"tool_calls\":[{Call},{Call},{Call}]"), Answer);
        Assert.Equal(AnswerVerdict.Divergent, verdict);
    }

    [Theory]
    [InlineData("<html>", "Unusable")]
    [InlineData("""{"message":{"content":"a"},"done":false}""", "Unusable")]
    [InlineData("""{"done":true}""", "Unusable")]
    [InlineData("""{"message":{"content":"a"},"done":true}""", "Usable")]
    [InlineData("""{"message":{"content":"a","thinking":null,"tool_calls":null,"images":[]},"done":true}""", "Usable")]
    [InlineData("""{"message":{"content":"a \ud83d b"},"done":true}""", "Unusable")]
    [InlineData("""{"message":{"content":["a"]},"done":true}""", "Unusable")]
    [InlineData("""{"message":{"content":"a","thinking":7},"done":true}""", "Unusable")]
    [InlineData("""{"message":{"content":"a","tool_calls":{"function":{"name":"f"}}},"done":true}""", "Unusable")]
    [InlineData("""{"message":{"content":"a","images":["x"]},"done":true}""", "Unusable")]
    [InlineData("""{"error":"x"}""", "Error")]
    public void Answer_Verdict(string answer, string verdict) =>
        Assert.Equal(verdict, Format.CheckAnswer(Exchange.Request, Encoding.UTF8.GetBytes(answer)).ToString());

    [Fact]
    public void MadeStream_IsWhole()
    {
        var (_, text) = Exchange.Continue(null, Answer.Replace("ü", "u").Replace("ß", "ss"));
        Assert.Equal(
            """
            {"model":"m","created_at":"2026-01-01T00:00:09Z","message":{"role":"assistant","content":"","thinking":"Let me see"},"done":false}
            {"model":"m","created_at":"2026-01-01T00:00:09Z","message":{"role":"assistant","content":"Grusse an Bravo"},"done":false}
            {"model":"m","created_at":"2026-01-01T00:00:09Z","message":{"role":"assistant","content":"","tool_calls":[{"id":"call_9","function":{"index":0,"name":"f","arguments":{"days":1,"city":"Paris"}}},{"function":{"name":"g","arguments":{}}}]},"done":false}
            {"model":"m","created_at":"2026-01-01T00:00:09Z","message":{"role":"assistant","content":""},"done_reason":"stop","done":true,"total_duration":9,"eval_count":3}

            """.ReplaceLineEndings("\n"),
            text);
    }

    [Theory]
    [InlineData("Auto", "Done")]
    [InlineData("Done", "Done")]
    [InlineData("Either", "Done")]
    [InlineData("FinishReason", "Faulted")]
    public void EndWithoutReason_DependsOnTheClustersProfile(string profile, string state)
    {
        var stream = Line("\"content\":\"a\"") + "{\"message\":{\"content\":\"\"},\"done\":true}\n";
        Assert.Equal(state, Exchange.Run(stream, terminal: Enum.Parse<TerminalProfile>(profile)).State.ToString());
    }

    [Fact]
    public void EndWithReason_SatisfiesEveryProfile() =>
        Assert.All(Enum.GetValues<TerminalProfile>(), p => Assert.Equal(GuardState.Done, Exchange.Run(Healthy, terminal: p).State));

    [Fact]
    public void NoDone_IsAFault()
    {
        var outcome = Exchange.Run(Line("\"content\":\"a\""));
        Assert.Equal(FaultKind.EndedWithoutTerminal, outcome.Fault);
    }

    [Fact]
    public void ErrorLine_IsNotPassedOn()
    {
        var outcome = Exchange.Run(Line("\"content\":\"a\"") + "{\"error\":\"out of memory\"}\n");
        Assert.Equal((FaultKind.ErrorEvent, Line("\"content\":\"a\"")), (outcome.Fault, outcome.Text));
    }

    [Fact]
    public void LoudEnding_IsAnErrorLine()
    {
        Assert.Equal("{\"error\":\"The upstream ended in mid-answer.\"}\n", Written(o => Format.WriteErrorEvent(Truncated, null, null, o)));
        Assert.Equal("{\"error\":\"The upstream ended in mid-answer.\"}", Written(o => Format.WriteErrorBody(Truncated, null, o)));
    }

    [Fact]
    public void Heartbeat_IsALineWithoutText()
    {
        var outcome = Exchange.Run(Line("\"content\":\"a\""), end: FaultKind.ConnectionReset);
        const string line = "{\"model\":\"m\",\"created_at\":\"2026-01-01T00:00:01Z\",\"message\":{\"role\":\"assistant\",\"content\":\"\"},\"done\":false}\n";
        Assert.Equal(line, Written(o => Format.WriteHeartbeat(outcome.Reader, o)));
        Assert.Equal(line.Replace("2026-01-01T00:00:01Z", "1970-01-01T00:00:00Z"), Written(o => Format.WriteHeartbeat(Exchange.NewReader(), o)));
        using var reader = Exchange.NewReader();
        Assert.Equal(EventMeaning.Lifecycle, reader.Read(Written(o => Format.WriteHeartbeat(null, o))));
    }

    [Theory]
    [InlineData("""{"error":"the input length exceeds the context length"}""", "ContextLengthExceeded")]
    [InlineData("""{"error":"model 'x' not found"}""", "Other")]
    [InlineData("""{"message":"x"}""", "None")]
    [InlineData("<html>", "None")]
    [InlineData("", "None")]
    public void ErrorBody_Complaint(string body, string complaint) =>
        Assert.Equal(complaint, Format.ReadErrorBody(Encoding.UTF8.GetBytes(body)).ToString());

    [Fact]
    public void OverTheLimit_CannotBeSpliced()
    {
        using var reader = Exchange.NewReader(maxDeliveredBytes: 3);
        Assert.Equal(EventMeaning.Content, reader.Read("""{"message":{"content":"abcd"}}"""));
        Assert.False(reader.CanSplice);
    }

    [Fact]
    public void OrdinaryText_AllocatesNothing() =>
        Assert.Equal(0, Exchange.AllocatedBy("""{"model":"m","created_at":"2026-01-01T00:00:01Z","message":{"role":"assistant","content":" w\u00f6rd"},"done":false}"""));

    private static string Line(string message) =>
        $$$"""{"model":"m","created_at":"2026-01-01T00:00:01Z","message":{"role":"assistant",{{{message}}}},"done":false}""" + "\n";

    /// <summary>What a client reads: thinking, content, calls and the end. Throws where the stream does not end once.</summary>
    private static string Decode(string stream)
    {
        var (thinking, content, calls, end) = ("", "", new List<string>(), "");
        foreach (var data in Events(Format, stream))
        {
            Assert.Equal("", end);
            using var document = JsonDocument.Parse(data);
            var message = document.RootElement.GetProperty("message");
            content += message.GetProperty("content").GetString();
            thinking += message.TryGetProperty("thinking", out var t) ? t.GetString() : "";
            if (message.TryGetProperty("tool_calls", out var array))
            {
                calls.AddRange(array.EnumerateArray().Select(c => c.GetProperty("function").GetProperty("name").GetString()!));
            }

            end = document.RootElement.GetProperty("done").GetBoolean()
                ? $"done {(document.RootElement.TryGetProperty("done_reason", out var r) ? r.GetString() : "")}"
                : "";
        }

        Assert.StartsWith("done", end);
        return $"{thinking}|{content}|{string.Join(',', calls)}|{end}";
    }
}
