using System.Text;
using System.Text.Json;
using ProxyGateway.StreamingFallback.ChatFormats;
using ProxyGateway.StreamingFallback.ChatFormats.OpenAICompletions;
using ProxyGateway.StreamingFallback.Configuration;
using ProxyGateway.StreamingFallback.Guard;
using ProxyGateway.StreamingFallback.Telemetry;
using Xunit;
using static ProxyGateway.Tests.ChatFormats.FormatAsserts;

namespace ProxyGateway.Tests.ChatFormats.OpenAICompletions;

public sealed class OpenAICompletionsFormatTests
{
    private const string Body = """{"model":"m","prompt":"say","stream":true,"stream_options":{"include_usage":true}}""";

    private const string Answer = """
        {"id":"cmpl-2","object":"text_completion","created":2,"model":"m-2","choices":[{"text":"Alpha Bravo Grüße 🚀 end","index":0,"logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":5,"total_tokens":6}}
        """;

    private static readonly OpenAICompletionsFormat Format = new();
    private static readonly GuardedStream Exchange = new(Format, Body);

    private static readonly string Healthy =
        Chunk("Alpha") + Chunk(" Bravo") + Chunk(" Grü") + Chunk("ße \\ud83d\\ude80") + Chunk(" end", "\"stop\"")
        + """data: {"id":"cmpl-1","object":"text_completion","created":1,"model":"m","choices":[],"usage":{"prompt_tokens":1,"completion_tokens":5,"total_tokens":6}}""" + "\n\ndata: [DONE]\n\n";

    [Theory]
    [InlineData("""{"choices":[{"text":"a","index":0,"finish_reason":null}]}""", "Content")]
    [InlineData("""{"choices":[{"text":"","index":0,"finish_reason":null}]}""", "Lifecycle")]
    [InlineData("""{"choices":[{"text":"a","index":0,"finish_reason":"length"}]}""", "Content, Finish")]
    [InlineData("""{"choices":[{"text":"","index":0,"finish_reason":"stop"}]}""", "Finish")]
    [InlineData("""{"choices":[],"usage":{"total_tokens":1}}""", "Lifecycle")]
    [InlineData("""{"choices":[{"delta":{"content":"a"},"index":0}]}""", "Content")]
    [InlineData("""{"choices":[{"text":"a","text":"b","index":0}]}""", "Malformed")]
    [InlineData("""{"choices":[{"text":"a","index":0,"finish_reason":"error"}]}""", "Error")]
    [InlineData("""{"error":{"message":"x","type":"server_error"}}""", "Error")]
    [InlineData("""{"object":"error","message":"x"}""", "Error")]
    [InlineData("""{"error":null,"choices":[{"text":"a","index":0}]}""", "Content")]
    [InlineData("[DONE]", "Done")]
    [InlineData("{", "Malformed")]
    [InlineData("[]", "Malformed")]
    [InlineData("", "Lifecycle")]
    public void Event_Meaning(string data, string meaning)
    {
        using var reader = Exchange.NewReader();
        Assert.Equal(meaning, reader.Read(data).ToString());
    }

    [Theory]
    [InlineData("""{"prompt":"a"}""", 1, false)]
    [InlineData("""{"prompt":["a","b"],"n":2,"stream":true}""", 4, true)]
    [InlineData("""{"prompt":[1,2,3],"stream":true}""", 1, true)]
    [InlineData("""{"prompt":[[1,2],[3]],"stream":true}""", 2, true)]
    [InlineData("""{"prompt":[],"stream":true}""", 1, true)]
    [InlineData("""{"stream":true}""", 1, true)]
    public void Request_ChoicesAreCounted(string body, int choices, bool streaming)
    {
        var request = GuardedStream.ReadRequest(Format, body);
        Assert.Equal(choices, request.ChoiceCount);
        Assert.Equal(streaming, request.Streaming);
    }

    [Theory]
    [InlineData("""{"prompt":"a","prompt":"b"}""")]
    [InlineData("""{"stream":true,"stream":false}""")]
    [InlineData("""{"stream":"yes"}""")]
    [InlineData("""["prompt"]""")]
    [InlineData("""{"prompt":"a"} x""")]
    public void UnreadableRequest_IsRefusedInWords(string body)
    {
        var problem = Format.ReadRequest(Encoding.UTF8.GetBytes(body), "/v1/completions", out _);
        Assert.False(string.IsNullOrEmpty(problem));
    }

    [Fact]
    public void Replay_ChangesOnlyStreamAndItsOptions()
    {
        const string body = """{ "prompt" : "\u00e9 \/", "stream_options":{"include_usage":true} , "stream" : true,"x":[1, 2 ] }""";
        Assert.Equal("""{ "prompt" : "\u00e9 \/",  "stream" : false,"x":[1, 2 ] }""", Format.AttemptBody(body, AttemptMode.NonStreaming));
        Assert.Equal(body, Format.AttemptBody(body, AttemptMode.Streaming));
        Assert.Equal("""{"model":"o","prompt":"a"}""", Format.AttemptBody("""{"prompt":"a"}""", AttemptMode.Streaming, "o"));
    }

    [Fact]
    public void HealthyStream_PassesByteForByte()
    {
        var outcome = Exchange.AssertPiecesDoNotMatter(Encoding.UTF8.GetBytes(Healthy));
        Assert.Equal(Healthy, outcome.Text);
        Assert.Equal(GuardState.Done, outcome.State);
    }

    [Fact]
    public void DamagedStream_NeverThrows() => Exchange.AssertDamageIsSurvived(Healthy, Answer);

    [Fact]
    public void EveryCut_RecoversWithTheSameAnswer() => Exchange.AssertEveryCutRecovers(Healthy, Answer, Decode);

    [Fact]
    public void TwoChoices_EveryCutRecovers()
    {
        var exchange = new GuardedStream(Format, """{"model":"m","prompt":"say","n":2,"stream":true}""");
        var stream = Chunk("one") + Chunk("uno", index: 1) + Chunk(" two", "\"stop\"") + Chunk(" dos", "\"length\"", 1) + "data: [DONE]\n\n";
        const string answer = """
            {"id":"r","object":"text_completion","created":2,"model":"m","choices":[{"text":"uno dos","index":1,"finish_reason":"length"},{"text":"one two","index":0,"finish_reason":"stop"}]}
            """;
        exchange.AssertEveryCutRecovers(stream, answer, Decode);
    }

    [Fact]
    public void Divergence_WritesNothing()
    {
        var (verdict, client) = Exchange.Recover(Chunk("Alpha Charlie"), Answer);
        Assert.Equal(AnswerVerdict.Divergent, verdict);
        Assert.Equal(Chunk("Alpha Charlie"), client);
    }

    [Theory]
    [InlineData("nothing", "Unusable")]
    [InlineData("""{"choices":[]}""", "Unusable")]
    [InlineData("""{"choices":[{"text":"a","index":0}]}""", "Unusable")]
    [InlineData("""{"choices":[{"message":{"content":"a"},"finish_reason":"stop"}]}""", "Unusable")]
    [InlineData("""{"choices":[{"text":"a","finish_reason":"stop"}]}""", "Usable")]
    [InlineData("""{"error":{"message":"x"}}""", "Error")]
    public void Answer_Verdict(string answer, string verdict) =>
        Assert.Equal(verdict, Format.CheckAnswer(Exchange.Request, Encoding.UTF8.GetBytes(answer)).ToString());

    [Fact]
    public void MadeStream_IsWhole()
    {
        var (verdict, text) = Exchange.Continue(null, Answer.Replace("Grüße 🚀", "and"));
        Assert.Equal(AnswerVerdict.Usable, verdict);
        Assert.Equal(
            """
            data: {"id":"cmpl-2","object":"text_completion","created":2,"model":"m-2","choices":[{"text":"Alpha Bravo and end","index":0,"logprobs":null,"finish_reason":null}]}

            data: {"id":"cmpl-2","object":"text_completion","created":2,"model":"m-2","choices":[{"text":"","index":0,"logprobs":null,"finish_reason":"stop"}]}

            data: {"id":"cmpl-2","object":"text_completion","created":2,"model":"m-2","choices":[],"usage":{"prompt_tokens":1,"completion_tokens":5,"total_tokens":6}}

            data: [DONE]


            """.ReplaceLineEndings("\n"),
            text);
    }

    [Fact]
    public void Splice_KeepsTheFirstIdentity()
    {
        var (_, client) = Exchange.Recover(Chunk("Alpha"), Answer.Replace("Grüße 🚀", "and"));
        Assert.StartsWith(Chunk("Alpha"), client);
        Assert.Equal(
            """
            1 m: "Alpha"
            1 m: " Bravo and end"
            1 m: "" "stop"
            1 m: usage
            [DONE]
            """.ReplaceLineEndings("\n"),
            string.Join('\n', Events(Format, client).Select(Skeleton)));
    }

    [Fact]
    public void LongText_ComesInPieces()
    {
        var text = string.Concat(Enumerable.Repeat("wörd ", 400));
        var (_, stream) = Exchange.Continue(null, $$"""{"choices":[{"text":"{{text}}","index":0,"finish_reason":"stop"}]}""");
        Assert.InRange(Events(Format, stream).Count, 8, 20);
        Assert.Equal($"0: {text} stop", Decode(stream));
    }

    [Theory]
    [InlineData("Auto", true, false, "Done")]
    [InlineData("Auto", false, true, "Done")]
    [InlineData("Auto", false, false, "Faulted")]
    [InlineData("FinishReason", true, false, "Done")]
    [InlineData("FinishReason", false, true, "Faulted")]
    [InlineData("Done", true, false, "Faulted")]
    [InlineData("Done", false, true, "Done")]
    [InlineData("Either", false, true, "Done")]
    public void Terminal_DependsOnTheClustersProfile(string profile, bool finishReason, bool done, string state)
    {
        var stream = Chunk("a", finishReason ? "\"stop\"" : "null") + (done ? "data: [DONE]\n\n" : "");
        var outcome = Exchange.Run(stream, terminal: Enum.Parse<TerminalProfile>(profile));
        Assert.Equal(state, outcome.State.ToString());
    }

    [Fact]
    public void FinishWithoutEndMarker_GetsOne()
    {
        var outcome = Exchange.Run(Chunk("a", "\"stop\""));
        Assert.Equal(Chunk("a", "\"stop\"") + "data: [DONE]\n\n", outcome.Text);
    }

    [Fact]
    public void OverTheLimit_CannotBeSpliced()
    {
        using var reader = Exchange.NewReader(maxDeliveredBytes: 3);
        Assert.Equal(EventMeaning.Content, reader.Read("""{"choices":[{"text":"abcd","index":0}]}"""));
        Assert.False(reader.CanSplice);
    }

    [Fact]
    public void Endings_AreThoseOfChat()
    {
        Assert.Equal(
            "data: {\"error\":{\"message\":\"The upstream ended in mid-answer.\",\"type\":\"server_error\",\"param\":null,\"code\":\"upstream_truncated\"},\"choices\":null}\n\n",
            Written(o => Format.WriteErrorEvent(Truncated, null, null, o)));
        Assert.Equal(": keepalive\n", Written(o => Format.WriteHeartbeat(null, o)));
        Assert.Equal(UpstreamComplaint.ContextLengthExceeded, Format.ReadErrorBody("""{"error":{"code":"context_length_exceeded"}}"""u8));
    }

    [Fact]
    public void OrdinaryText_AllocatesNothing() =>
        Assert.Equal(0, Exchange.AllocatedBy("""{"id":"c","object":"text_completion","created":1,"choices":[{"text":" w\u00f6rd","index":0,"logprobs":null,"finish_reason":null}],"model":"m"}"""));

    [Fact]
    public void RecordedStreams_PassByteForByte()
    {
        var recorded = Recorded(Format);
        Assert.InRange(recorded.Count, 3, int.MaxValue);
        Assert.All(recorded, stream =>
        {
            var outcome = Exchange.AssertPiecesDoNotMatter(stream.Bytes);
            var text = Encoding.UTF8.GetString(stream.Bytes);
            // Some recordings were kept without their end marker; it is added.
            Assert.Equal(text.Contains("[DONE]") ? text : text + "data: [DONE]\n\n", outcome.Text);
            Assert.Equal((GuardState.Done, FaultKind.None), (outcome.State, outcome.Fault));
            Assert.Equal(DeliveredKind.Text, outcome.Reader.Delivered);
        });
    }

    private static string Chunk(string text, string finish = "null", int index = 0) =>
        $$"""data: {"id":"cmpl-1","object":"text_completion","created":1,"choices":[{"text":"{{text}}","index":{{index}},"logprobs":null,"finish_reason":{{finish}}}],"model":"m"}""" + "\n\n";

    private static string Skeleton(string data)
    {
        if (data == "[DONE]")
        {
            return data;
        }

        using var document = JsonDocument.Parse(data);
        var root = document.RootElement;
        var prefix = $"{root.GetProperty("created")} {root.GetProperty("model")}: ";
        var choices = root.GetProperty("choices");
        return prefix + (choices.GetArrayLength() == 0
            ? "usage"
            : Compact(choices[0].GetProperty("text")) + (choices[0].GetProperty("finish_reason").GetString() is { } f ? $" \"{f}\"" : ""));
    }

    /// <summary>What a client reads: the text and the reason of each choice. Throws where the stream does not end once.</summary>
    private static string Decode(string stream)
    {
        var events = Events(Format, stream);
        Assert.Equal(events.Count - 1, events.IndexOf("[DONE]"));
        var texts = new SortedDictionary<int, (string Text, string Finish)>();
        foreach (var data in events.Take(events.Count - 1))
        {
            using var document = JsonDocument.Parse(data);
            foreach (var choice in document.RootElement.GetProperty("choices").EnumerateArray())
            {
                var index = choice.GetProperty("index").GetInt32();
                var (text, finish) = texts.GetValueOrDefault(index, ("", ""));
                Assert.Equal("", finish);
                texts[index] = (text + choice.GetProperty("text").GetString(), choice.GetProperty("finish_reason").GetString() ?? "");
            }
        }

        return string.Join('\n', texts.Select(t => $"{t.Key}: {t.Value.Text} {t.Value.Finish}"));
    }
}
