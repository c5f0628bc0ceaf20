using System.Text;
using System.Text.Json;
using ProxyGateway.StreamingFallback.ChatFormats;
using ProxyGateway.StreamingFallback.ChatFormats.Gemini;
using ProxyGateway.StreamingFallback.Configuration;
using ProxyGateway.StreamingFallback.Guard;
using ProxyGateway.StreamingFallback.Telemetry;
using Xunit;
using static ProxyGateway.Tests.ChatFormats.FormatAsserts;

namespace ProxyGateway.Tests.ChatFormats.Gemini;

public sealed class GeminiFormatTests
{
    private const string Path = "/v1beta/models/gemini-x:streamGenerateContent?alt=sse";
    private const string Body = """{"contents":[{"role":"user","parts":[{"text":"hi"}]}]}""";

    private const string Answer = """
        {"candidates":[{"content":{"parts":[{"text":"Let me see","thought":true},{"text":"Grüße an "},{"text":"Bravo","thoughtSignature":"c2ln"},{"functionCall":{"id":"b","name":"f","args":{"days":1,"city":"Paris"}},"thoughtSignature":"Y2FsbA=="},{"text":" bye"}],"role":"model"},"finishReason":"STOP","index":0,"avgLogprobs":-0.1}],"usageMetadata":{"totalTokenCount":9},"modelVersion":"gemini-x-2","responseId":"r2"}
        """;

    private static readonly GeminiFormat Format = new();
    private static readonly GuardedStream Exchange = new(Format, Body, Path);

    private static readonly string Healthy =
        Event("""{"text":"Let me","thought":true}""") + Event("""{"thought":true,"text":" see"}""")
        + Event("""{"text":"Grü"}""") + Event("""{"text":"ße an "},{"text":"Bra"}""") + Event("""{"text":"vo"}""")
        + Event("""{"text":"","thoughtSignature":"c2ln"}""")
        + Event("""{"functionCall":{"id":"a","name":"f","args":{"city":"Paris","days":1.0}},"thoughtSignature":"eA=="}""")
        + Event("""{"text":" bye"}""") + Event("""{"text":""}""", "STOP");

    [Theory]
    [InlineData("""{"candidates":[{"content":{"parts":[{"text":"a"}],"role":"model"},"index":0}]}""", "Content")]
    [InlineData("""{"candidates":[{"content":{"parts":[{"text":"a","thought":true}]}}]}""", "Content")]
    [InlineData("""{"candidates":[{"content":{"parts":[{"text":""}]}}]}""", "Lifecycle")]
    [InlineData("""{"candidates":[{"content":{"parts":[{"text":"","thoughtSignature":"eA=="}]}}]}""", "Lifecycle")]
    [InlineData("""{"candidates":[{"content":{"parts":[{"functionCall":{"name":"f","args":{}}}]}}]}""", "Content")]
    [InlineData("""{"candidates":[{"content":{"parts":[{"inlineData":{"mimeType":"image/png","data":"AA=="}}]}}]}""", "Content")]
    [InlineData("""{"candidates":[{"content":{"parts":[{"text":"a"}]},"finishReason":"STOP"}]}""", "Content, Finish")]
    [InlineData("""{"candidates":[{"finishReason":"SAFETY","index":0}]}""", "Finish")]
    [InlineData("""{"candidates":[{"finishReason":"FINISH_REASON_UNSPECIFIED"}]}""", "Lifecycle")]
    [InlineData("""{"candidates":[{"content":{"parts":[{"functionCall":{"name":"f","willContinue":true}}]},"finishReason":"STOP"}]}""", "BrokenToolCall")]
    [InlineData("""{"promptFeedback":{"blockReason":"SAFETY"}}""", "Finish")]
    [InlineData("""{"promptFeedback":{"safetyRatings":[]}}""", "Lifecycle")]
    [InlineData("""{"usageMetadata":{"totalTokenCount":1}}""", "Lifecycle")]
    [InlineData("""{"error":{"code":503,"message":"x","status":"UNAVAILABLE"}}""", "Error")]
    [InlineData("""{"candidates":[{"content":{"parts":[{"text":"a","text":"b"}]}}]}""", "Malformed")]
    [InlineData("""{"candidates":[{"index":0,"index":1}]}""", "Malformed")]
    [InlineData("""{"candidates":[{"index":0}""", "Malformed")]
    [InlineData("""{"error":{"code":500}""", "Malformed")]
    [InlineData("[DONE]", "Malformed")]
    [InlineData(" ", "Lifecycle")]
    public void Event_Meaning(string data, string meaning)
    {
        using var reader = Exchange.NewReader();
        Assert.Equal(meaning, reader.Read(data).ToString());
    }

    [Fact]
    public void RefusedEvent_LeavesTheReaderAsItWas()
    {
        using var reader = (GeminiReader)Exchange.NewReader();
        reader.Read("""{"candidates":[{"content":{"parts":[{"text":"a"}]}}]}""");
        Assert.Equal(EventMeaning.Malformed, reader.Read("""{"candidates":[{"content":{"parts":[{"text":"b"},{"text":"c","thought":true},{"inlineData":{}}]}},{"index":1},{"index":1}]"""));
        Assert.Equal(EventMeaning.BrokenToolCall, reader.Read("""{"candidates":[{"content":{"parts":[{"functionCall":{"willContinue":true}}]},"finishReason":"STOP"}]}"""));
        var candidate = Assert.Single(reader.Candidates);
        Assert.Equal("a", Encoding.UTF8.GetString(Assert.Single(candidate.Blocks).Text.Span));
        Assert.Equal((DeliveredKind.Text, false, true), (reader.Delivered, reader.IsFinished, reader.CanSplice));
    }

    [Theory]
    [InlineData("/v1beta/models/m:streamGenerateContent", true, "m")]
    [InlineData("/v1beta/models/m:streamGenerateContent?key=k&alt=sse", true, "m")]
    [InlineData("/v1beta/models/m:streamGenerateContent?key=k", false, "m")]
    [InlineData("/v1beta/models/m:streamGenerateContent?xalt=sse&alt=ssex", false, "m")]
    [InlineData("/v1/projects/p/locations/l/publishers/google/models/m-2:streamGenerateContent?alt=sse", true, "m-2")]
    [InlineData("/v1beta/models/m:generateContent", false, "m")]
    [InlineData("/v1beta/models/m:countTokens", false, "m")]
    [InlineData("/v1beta/models", false, null)]
    public void Path_SaysModeAndModel(string path, bool streaming, string? model)
    {
        var request = GuardedStream.ReadRequest(Format, Body, path);
        Assert.Equal((streaming, model), (request.Streaming, request.Model));
    }

    [Theory]
    [InlineData("""{"generationConfig":{"candidateCount":2}}""", 2)]
    [InlineData("""{"generation_config":{"candidate_count":3}}""", 3)]
    [InlineData("""{"generationConfig":{"temperature":0}}""", 1)]
    [InlineData("""{"generationConfig":null}""", 1)]
    public void Request_CandidatesAreCounted(string body, int count) =>
        Assert.Equal(count, GuardedStream.ReadRequest(Format, body, Path).ChoiceCount);

    [Theory]
    [InlineData("""{"generationConfig":{},"generation_config":{}}""")]
    [InlineData("""{"generationConfig":{"candidateCount":1,"candidateCount":2}}""")]
    [InlineData("[]")]
    [InlineData("""{"contents":[}""")]
    public void UnreadableRequest_IsRefusedInWords(string body) =>
        Assert.False(string.IsNullOrEmpty(Format.ReadRequest(Encoding.UTF8.GetBytes(body), Path, out _)));

    [Theory]
    [InlineData("?alt=sse", "")]
    [InlineData("?alt=sse&key=k%20k", "?key=k%20k")]
    [InlineData("?key=k&alt=sse", "?key=k")]
    [InlineData("?a=1&alt=sse&key=k", "?a=1&key=k")]
    public void Replay_GoesToTheOtherMethod(string query, string expected)
    {
        var rewritten = Format.RewriteTarget(Exchange.Request, "/v1beta/models/a:streamGenerateContent", query, AttemptMode.NonStreaming, null);
        Assert.Equal(("/v1beta/models/a:generateContent", expected), rewritten);
    }

    [Fact]
    public void Model_StandsInThePath()
    {
        Assert.Equal(("/v1/models/b:streamGenerateContent", "?alt=sse"),
            Format.RewriteTarget(Exchange.Request, "/v1/models/a:streamGenerateContent", "?alt=sse", AttemptMode.Streaming, "b"));
        Assert.Equal(("/v1/models/b:generateContent", ""),
            Format.RewriteTarget(Exchange.Request, "/v1/models/a:streamGenerateContent", "?alt=sse", AttemptMode.NonStreaming, "b"));
        Assert.Null(Format.RewriteTarget(Exchange.Request, "/v1/models/a:streamGenerateContent", "?alt=sse", AttemptMode.Streaming, null));
        Assert.Equal(Body, Format.AttemptBody(Body, AttemptMode.NonStreaming, "b", Path));
    }

    [Theory]
    [InlineData("\n")]
    [InlineData("\r\n")]
    [InlineData("\r")]
    public void HealthyStream_PassesByteForByte(string lineEnd)
    {
        var stream = Healthy.Replace("\r\n", lineEnd);
        var outcome = Exchange.AssertPiecesDoNotMatter(Encoding.UTF8.GetBytes(stream));
        Assert.Equal(stream, outcome.Text);
        Assert.Equal((GuardState.Finished, GuardState.Done), (outcome.BeforeEnd, outcome.State));
    }

    [Fact]
    public void DamagedStream_NeverThrows() => Exchange.AssertDamageIsSurvived(Healthy, Answer);

    [Fact]
    public void EveryCut_RecoversWithTheSameAnswer() => Exchange.AssertEveryCutRecovers(Healthy, Answer, Decode);

    [Fact]
    public void TwoCandidates_EveryCutRecovers()
    {
        var exchange = new GuardedStream(Format, """{"generationConfig":{"candidateCount":2}}""", Path);
        var stream = Event("""{"text":"one"}""") + Event("""{"text":"uno"}""", index: 1) + Event("""{"text":" two"}""", "STOP") + Event("""{"text":" dos"}""", "MAX_TOKENS", 1);
        const string answer = """
            {"candidates":[{"index":1,"content":{"parts":[{"text":"uno dos"}]},"finishReason":"MAX_TOKENS"},{"content":{"parts":[{"text":"one two"}]},"finishReason":"STOP","index":0}]}
            """;
        exchange.AssertEveryCutRecovers(stream, answer, Decode);
    }

    [Theory]
    [InlineData("text", """{"text":"Let me see","thought":true},{"text":"Hello"}""")]
    [InlineData("thought", """{"text":"Let us","thought":true}""")]
    [InlineData("thought cut when text began", """{"text":"Let me","thought":true},{"text":"Grüße"}""")]
    [InlineData("order", """{"text":"Grüße"}""")]
    [InlineData("text cut when a call came", """{"text":"Let me see","thought":true},{"text":"Grüße"},{"functionCall":{"name":"f","args":{"city":"Paris","days":1}}}""")]
    [InlineData("call's name", """{"text":"Let me see","thought":true},{"text":"Grüße an Bravo"},{"functionCall":{"name":"g","args":{"city":"Paris","days":1}}}""")]
    [InlineData("call's arguments", """{"text":"Let me see","thought":true},{"text":"Grüße an Bravo"},{"functionCall":{"name":"f","args":{"city":"Rome","days":1}}}""")]
    [InlineData("more than the answer", """{"text":"Let me see","thought":true},{"text":"Grüße an Bravo"},{"functionCall":{"name":"f","args":{"city":"Paris","days":1}}},{"text":" bye"},{"functionCall":{"name":"f"}}""")]
    [InlineData("image", """{"inlineData":{"mimeType":"image/png","data":"AA=="}}""")]
    [InlineData("call in pieces", """{"functionCall":{"name":"f","willContinue":true}}""")]
    public void Divergence_WritesNothing(string where, string parts)
    {
        var (verdict, client) = Exchange.Recover(Event(parts), Answer);
        Assert.True(verdict == AnswerVerdict.Divergent, where);
        Assert.Equal(Event(parts), client);
    }

    [Theory]
    [InlineData("<html>", "Unusable")]
    [InlineData("{}", "Unusable")]
    [InlineData("""{"candidates":[]}""", "Unusable")]
    [InlineData("""{"candidates":[{"content":{"parts":[{"text":"a"}]}}]}""", "Unusable")]
    [InlineData("""{"candidates":[{"content":{"parts":[{"functionCall":{"name":"f","willContinue":true}}]},"finishReason":"STOP"}]}""", "Unusable")]
    [InlineData("""{"candidates":[{"content":{"parts":[{"text":"a"}]},"finishReason":"STOP"}]}""", "Usable")]
    [InlineData("""{"candidates":[{"finishReason":"MAX_TOKENS"}]}""", "Usable")]
    [InlineData("""{"promptFeedback":{"blockReason":"SAFETY"}}""", "Usable")]
    [InlineData("""{"error":{"code":500,"message":"x","status":"INTERNAL"}}""", "Error")]
    public void Answer_Verdict(string answer, string verdict) =>
        Assert.Equal(verdict, Format.CheckAnswer(Exchange.Request, Encoding.UTF8.GetBytes(answer)).ToString());

    [Fact]
    public void MadeStream_IsWhole()
    {
        var (_, text) = Exchange.Continue(null, Answer.Replace("ü", "u").Replace("ß", "ss"));
        const string id = ""","modelVersion":"gemini-x-2","responseId":"r2"}""";
        Assert.Equal(
            string.Concat(new[]
            {
                """{"candidates":[{"index":0,"content":{"parts":[{"text":"Let me see","thought":true}],"role":"model"}}]""" + id,
                """{"candidates":[{"index":0,"content":{"parts":[{"text":"Grusse an Bravo"}],"role":"model"}}]""" + id,
                """{"candidates":[{"index":0,"content":{"parts":[{"text":"","thoughtSignature":"c2ln"}],"role":"model"}}]""" + id,
                """{"candidates":[{"index":0,"content":{"parts":[{"functionCall":{"id":"b","name":"f","args":{"days":1,"city":"Paris"}},"thoughtSignature":"Y2FsbA=="}],"role":"model"}}]""" + id,
                """{"candidates":[{"index":0,"content":{"parts":[{"text":" bye"}],"role":"model"}}]""" + id,
                """{"candidates":[{"index":0,"content":{"parts":[{"text":""}],"role":"model"},"finishReason":"STOP","avgLogprobs":-0.1}],"usageMetadata":{"totalTokenCount":9}""" + id,
            }.Select(e => $"data: {e}\r\n\r\n")),
            text);
    }

    [Fact]
    public void Splice_KeepsTheFirstIdentityAndTheSignatureSeen()
    {
        var (_, client) = Exchange.Recover(
            Event("""{"text":"Let me see","thought":true}""") + Event("""{"text":"Grüße an Bravo","thoughtSignature":"eA=="}"""), Answer);
        var made = Events(Format, client).Skip(2).ToList();
        Assert.Equal(3, made.Count);
        Assert.All(made, e => Assert.Contains("\"modelVersion\":\"gemini-x\",\"responseId\":\"r1\"", e));
        Assert.Contains("functionCall", made[0]);
    }

    [Fact]
    public void RefusedPrompt_IsAnAnswer()
    {
        const string refusal = """{"promptFeedback":{"blockReason":"PROHIBITED_CONTENT"},"usageMetadata":{"totalTokenCount":1}}""";
        var outcome = Exchange.Run($"data: {refusal}\r\n\r\n");
        Assert.Equal(($"data: {refusal}\r\n\r\n", GuardState.Done), (outcome.Text, outcome.State));
        Assert.Equal((AnswerVerdict.Usable, $"data: {refusal}\r\n\r\n"), Exchange.Continue(null, refusal));
        Assert.Equal(AnswerVerdict.Divergent, Exchange.Recover(Event("""{"text":"a"}"""), refusal).Verdict);
    }

    [Fact]
    public void EveryProfile_MeansTheFinishReason() =>
        Assert.All(Enum.GetValues<TerminalProfile>(), p =>
        {
            Assert.Equal(GuardState.Done, Exchange.Run(Healthy, terminal: p).State);
            Assert.Equal(FaultKind.EndedWithoutTerminal, Exchange.Run(Event("""{"text":"a"}"""), terminal: p).Fault);
        });

    [Fact]
    public void CallInPieces_IsInFlightUntilItEnds()
    {
        using var reader = Exchange.NewReader();
        reader.Read("""{"candidates":[{"content":{"parts":[{"functionCall":{"name":"f","willContinue":true}}]}}]}""");
        Assert.Equal((DeliveredKind.ToolCallInFlight, false), (reader.Delivered, reader.CanSplice));
        reader.Read("""{"candidates":[{"content":{"parts":[{"functionCall":{"partialArgs":[{"jsonPath":"$.a","stringValue":"b"}],"willContinue":true}}]}}]}""");
        Assert.Equal(EventMeaning.Content | EventMeaning.Finish, reader.Read("""{"candidates":[{"content":{"parts":[{"functionCall":{}}]},"finishReason":"STOP"}]}"""));
        Assert.Equal(DeliveredKind.ToolCallComplete, reader.Delivered);
    }

    [Theory]
    [InlineData(502, "UNAVAILABLE", 503)]
    [InlineData(503, "UNAVAILABLE", 503)]
    [InlineData(504, "DEADLINE_EXCEEDED", 504)]
    [InlineData(400, "INVALID_ARGUMENT", 400)]
    [InlineData(413, "INVALID_ARGUMENT", 413)]
    [InlineData(500, "INTERNAL", 500)]
    public void LoudEnding_IsABareErrorEvent(int status, string name, int codeOfEvent)
    {
        var error = Truncated with { Status = status };
        Assert.Equal(Body(status), Written(o => Format.WriteErrorBody(error, null, o)));
        Assert.Equal($"data: {Body(codeOfEvent)}\r\n\r\n", Written(o => Format.WriteErrorEvent(error, null, null, o)));

        string Body(int code) => $$$"""{"error":{"code":{{{code}}},"message":"The upstream ended in mid-answer.","status":"{{{name}}}","details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"upstream_truncated","domain":"proxygateway"}]}}""";
    }

    [Fact]
    public void Heartbeat_IsABlockOfItsOwn() => Assert.Equal(": keepalive\n\n", Written(o => Format.WriteHeartbeat(null, o)));

    [Theory]
    [InlineData("""{"error":{"code":400,"message":"The input token count (9) exceeds the maximum number of tokens allowed (8).","status":"INVALID_ARGUMENT"}}""", "ContextLengthExceeded")]
    [InlineData("""[{"error":{"code":429,"message":"x","status":"RESOURCE_EXHAUSTED"}}]""", "Other")]
    [InlineData("""{"message":"x"}""", "None")]
    [InlineData("[]", "None")]
    [InlineData("x", "None")]
    public void ErrorBody_Complaint(string body, string complaint) =>
        Assert.Equal(complaint, Format.ReadErrorBody(Encoding.UTF8.GetBytes(body)).ToString());

    [Fact]
    public void OverTheLimit_CannotBeSpliced()
    {
        using var reader = Exchange.NewReader(maxDeliveredBytes: 3);
        Assert.Equal(EventMeaning.Content, reader.Read("""{"candidates":[{"content":{"parts":[{"text":"abcd"}]}}]}"""));
        Assert.False(reader.CanSplice);
    }

    [Fact]
    public void OrdinaryText_AllocatesNothing() =>
        Assert.Equal(0, Exchange.AllocatedBy("""{"candidates":[{"content":{"parts":[{"text":" w\u00f6rd"}],"role":"model"},"index":0}],"usageMetadata":{"promptTokenCount":9},"modelVersion":"m","responseId":"r"}"""));

    [Fact]
    public void RecordedStreams_PassByteForByte()
    {
        var recorded = Recorded(Format);
        Assert.InRange(recorded.Count, 5, int.MaxValue);
        Assert.All(recorded, stream =>
        {
            var outcome = Exchange.AssertPiecesDoNotMatter(stream.Bytes);
            Assert.Equal(stream.Bytes, outcome.Output);
            Assert.Equal((GuardState.Done, FaultKind.None), (outcome.State, outcome.Fault));
            Assert.Equal(stream.Name.Contains("tool") ? DeliveredKind.ToolCallComplete : DeliveredKind.Text, outcome.Reader.Delivered);
        });
    }

    private static string Event(string parts, string? finish = null, int index = 0) =>
        $$"""data: {"candidates":[{"content":{"parts":[{{parts}}],"role":"model"},"""
        + (finish is null ? "" : $"\"finishReason\":\"{finish}\",")
        + $$"""
            "index":{{index}}}],"usageMetadata":{"totalTokenCount":1},"modelVersion":"gemini-x","responseId":"r1"}
            """ + "\r\n\r\n";

    /// <summary>What a client reads: the parts of each candidate, neighbouring texts joined, and its reason. Throws on what follows an end.</summary>
    private static string Decode(string stream)
    {
        var candidates = new SortedDictionary<int, (string Parts, string Last, string Finish)>();
        foreach (var data in Events(Format, stream))
        {
            using var document = JsonDocument.Parse(data);
            foreach (var candidate in document.RootElement.GetProperty("candidates").EnumerateArray())
            {
                var index = candidate.GetProperty("index").GetInt32();
                var (parts, last, finish) = candidates.GetValueOrDefault(index, ("", "", ""));
                Assert.Equal("", finish);
                foreach (var part in candidate.GetProperty("content").GetProperty("parts").EnumerateArray())
                {
                    if (part.TryGetProperty("functionCall", out var call))
                    {
                        (parts, last) = (parts + "|call " + call.GetProperty("name").GetString(), "call");
                    }
                    else if (part.GetProperty("text").GetString() is { Length: > 0 } text)
                    {
                        var kind = part.TryGetProperty("thought", out _) ? "thought" : "text";
                        (parts, last) = (parts + (kind == last ? "" : $"|{kind} ") + text, kind);
                    }
                }

                finish = candidate.TryGetProperty("finishReason", out var reason) ? reason.GetString()! : "";
                candidates[index] = (parts, last, finish);
            }
        }

        Assert.All(candidates.Values, c => Assert.NotEqual("", c.Finish));
        return string.Join('\n', candidates.Select(c => $"{c.Key}: {c.Value.Parts} {c.Value.Finish}"));
    }
}
