using System.Text;
using System.Text.Json;
using ProxyGateway.StreamingFallback.ChatFormats;
using ProxyGateway.StreamingFallback.ChatFormats.A2A;
using ProxyGateway.StreamingFallback.Configuration;
using ProxyGateway.StreamingFallback.Guard;
using ProxyGateway.StreamingFallback.Telemetry;
using Xunit;
using static ProxyGateway.Tests.ChatFormats.FormatAsserts;

namespace ProxyGateway.Tests.ChatFormats.A2A;

public sealed class A2AFormatTests
{
    private const string Body = """{"jsonrpc":"2.0","id":"r-1","method":"message/stream","params":{"message":{"role":"user","parts":[{"kind":"text","text":"hi"}],"messageId":"m","kind":"message"}}}""";

    private const string Answer = """
        {"jsonrpc":"2.0","id":"r-1","result":{"kind":"task","id":"t2","contextId":"c2","status":{"state":"completed","timestamp":"2026-01-01T00:00:00Z","message":{"kind":"message","role":"agent","messageId":"z","taskId":"t2","contextId":"c2","parts":[{"kind":"text","text":"done"}]}},"artifacts":[{"artifactId":"x1","name":"essay","parts":[{"kind":"text","text":"Grüße an "},{"kind":"text","text":"Bravo"}]},{"artifactId":"x2","parts":[{"kind":"text","text":"second"}]}]}}
        """;

    private static readonly A2AFormat Format = new();
    private static readonly GuardedStream Exchange = new(Format, Body);

    private static readonly string Begin =
        Event("""{"kind":"task","id":"t1","contextId":"c1","status":{"state":"submitted"}}""")
        + Event("""{"kind":"status-update","taskId":"t1","contextId":"c1","status":{"state":"working"},"final":false}""");

    private static readonly string Healthy =
        Begin + Chunk("a1", "Grü", append: false) + Chunk("a1", "ße an") + Chunk("a1", " Bra") + Chunk("a1", "vo", last: true)
        + Chunk("a2", "sec", append: false) + Chunk("a2", "ond", last: true)
        + Event("""{"kind":"status-update","taskId":"t1","contextId":"c1","status":{"state":"completed"},"final":true}""");

    [Theory]
    [InlineData("""{"kind":"task","id":"t","contextId":"c","status":{"state":"submitted"}}""", "Lifecycle")]
    [InlineData("""{"kind":"task","id":"t","status":{"state":"working"},"artifacts":[{"artifactId":"a","parts":[{"kind":"text","text":"x"}]}]}""", "Content")]
    [InlineData("""{"kind":"task","id":"t","status":{"state":"completed"}}""", "Finish")]
    [InlineData("""{"kind":"task","id":"t","status":{"state":"input-required"}}""", "Finish")]
    [InlineData("""{"kind":"status-update","status":{"state":"working"},"final":false}""", "Lifecycle")]
    [InlineData("""{"kind":"status-update","status":{"state":"working","message":{"parts":[{"kind":"text","text":"x"}]}},"final":false}""", "Content")]
    [InlineData("""{"kind":"status-update","status":{"state":"input-required"},"final":true}""", "Finish, Done")]
    [InlineData("""{"status":{"state":"completed"},"final":true,"kind":"status-update"}""", "Finish, Done")]
    [InlineData("""{"kind":"artifact-update","artifact":{"artifactId":"a","parts":[{"kind":"text","text":"x"}]}}""", "Content")]
    [InlineData("""{"kind":"artifact-update","artifact":{"artifactId":"a","parts":[{"kind":"text","text":""}]}}""", "Lifecycle")]
    [InlineData("""{"kind":"artifact-update","artifact":{"artifactId":"a","parts":[{"kind":"data","data":{}}]}}""", "Content")]
    [InlineData("""{"kind":"message","role":"agent","parts":[{"kind":"text","text":"x"}]}""", "Content, Finish, Done")]
    [InlineData("""{"kind":"something-new"}""", "Lifecycle")]
    [InlineData("""{"kind":"task","kind":"message"}""", "Malformed")]
    [InlineData("""{"kind":"artifact-update","artifact":{"artifactId":"a","parts":["x"]}}""", "Malformed")]
    public void Result_Meaning(string result, string meaning)
    {
        using var reader = Exchange.NewReader();
        Assert.Equal(meaning, reader.Read($$$"""{"jsonrpc":"2.0","id":"r-1","result":{{{result}}}}""").ToString());
    }

    [Theory]
    [InlineData("""{"jsonrpc":"2.0","id":"r-1","error":{"code":-32603,"message":"x"}}""", "Error")]
    [InlineData("""{"jsonrpc":"2.0","id":"r-1"}""", "Malformed")]
    [InlineData("""{"result":{},"result":{}}""", "Malformed")]
    [InlineData("""{"result":{}""", "Malformed")]
    [InlineData("""{"error":{"code":-32603}""", "Malformed")]
    [InlineData("[]", "Malformed")]
    [InlineData("", "Lifecycle")]
    public void Response_Meaning(string data, string meaning)
    {
        using var reader = Exchange.NewReader();
        Assert.Equal(meaning, reader.Read(data).ToString());
    }

    [Fact]
    public void RequestIdOfHalfASurrogatePair_IsNotRepeated()
    {
        var request = GuardedStream.ReadRequest(Format, """{"jsonrpc":"2.0","id":"\ud800","method":"message/stream"}""");
        using var reader = Format.NewReader(request, 100, TerminalProfile.Auto);

        Assert.Contains("\"id\":null", Written(o => Format.WriteErrorEvent(Truncated, request, reader, o)), StringComparison.Ordinal);
    }

    [Fact]
    public void RefusedEvent_LeavesTheReaderAsItWas()
    {
        using var reader = (A2AReader)Exchange.NewReader();
        reader.Read("""{"result":{"kind":"artifact-update","taskId":"t","artifact":{"artifactId":"a","parts":[{"kind":"text","text":"x"}]}}}""");
        Assert.Equal(EventMeaning.Malformed, reader.Read("""{"result":{"kind":"artifact-update","append":true,"lastChunk":true,"artifact":{"artifactId":"a","parts":[{"kind":"text","text":"y"},{"kind":"data"}]}}"""));
        Assert.Equal(EventMeaning.Error, reader.Read("""{"result":{"kind":"artifact-update","artifact":{"artifactId":"b","parts":[{"kind":"text","text":"y"}]}},"error":{}}"""));
        var artifact = Assert.Single(reader.Artifacts);
        Assert.Equal(("x", false, true), (Encoding.UTF8.GetString(artifact.Text.Span), artifact.Closed, reader.CanSplice));
        Assert.False(reader.IsFinished);
    }

    [Theory]
    [InlineData("""{"method":"message/stream","id":1}""", true, false, "1")]
    [InlineData("""{"method":"message/send","id":"a"}""", false, false, "\"a\"")]
    [InlineData("""{"method":"tasks/resubscribe","params":{"id":"t"}}""", true, true, null)]
    [InlineData("""{"method":"message/stream","id":null,"params":{"message":{"taskId":"t"}}}""", true, true, null)]
    [InlineData("""{"method":"message/stream","params":{"message":{"contextId":"c"}}}""", true, true, null)]
    [InlineData("""{"method":"message\/stream"}""", true, false, null)]
    public void Method_SaysTheMode(string body, bool streaming, bool stateful, string? id)
    {
        var request = GuardedStream.ReadRequest(Format, body);
        Assert.Equal((streaming, stateful), (request.Streaming, request.Stateful));
        Assert.Equal(id, request.Rpc!.Id is { } raw ? Encoding.UTF8.GetString(raw) : null);
    }

    [Theory]
    [InlineData("""{"method":"a","method":"b"}""")]
    [InlineData("""{"method":"a","id":1,"id":2}""")]
    [InlineData("""{"method":"a","params":{},"params":{}}""")]
    [InlineData("""{"method":1}""")]
    [InlineData("""{"id":1}""")]
    [InlineData("""[{"method":"a"}]""")]
    public void UnreadableRequest_IsRefusedInWords(string body) =>
        Assert.False(string.IsNullOrEmpty(Format.ReadRequest(Encoding.UTF8.GetBytes(body), "/", out _)));

    [Fact]
    public void Replay_ChangesOnlyTheMethod()
    {
        const string body = """{ "id":1.0, "method" : "message\/stream" ,"params":{ "message":{"text":"\u00e9"}} }""";
        Assert.Equal(body.Replace("""message\/stream""", "message/send"), Format.AttemptBody(body, AttemptMode.NonStreaming, "ignored"));
        Assert.Equal(body, Format.AttemptBody(body, AttemptMode.Streaming, "ignored"));
        Assert.Equal("""{"method":"tasks/get","params":{"id":"t"}}""", Format.AttemptBody("""{"method":"tasks/resubscribe","params":{"id":"t"}}""", AttemptMode.NonStreaming));
        Assert.Equal("""{"method":"message/send"}""", Format.AttemptBody("""{"method":"message/send"}""", AttemptMode.NonStreaming));
    }

    [Fact]
    public void Agents_AreNotAskedAgainByDefault() => Assert.Equal(ReplayPolicy.Never, Format.DefaultReplay);

    [Fact]
    public void HealthyStream_PassesByteForByte()
    {
        var outcome = Exchange.AssertPiecesDoNotMatter(Encoding.UTF8.GetBytes(Healthy));
        Assert.Equal(Healthy, outcome.Text);
        Assert.Equal(GuardState.Done, outcome.BeforeEnd);
    }

    [Fact]
    public void DamagedStream_NeverThrows() => Exchange.AssertDamageIsSurvived(Healthy, Answer);

    [Fact]
    public void EveryCut_RecoversWithTheSameAnswer() =>
        Exchange.AssertEveryCutRecovers(Healthy, Answer, Decode);

    [Fact]
    public void MessageAnswer_EveryCutRecovers()
    {
        const string message = """{"kind":"message","role":"agent","messageId":"q","parts":[{"kind":"text","text":"hello"}]}""";
        Exchange.AssertEveryCutRecovers(Event(message), $$$"""{"jsonrpc":"2.0","id":"r-1","result":{{{message}}}}""", Decode);
    }

    [Theory]
    [InlineData("text", "a1", "Hello", false)]
    [InlineData("first artifact cut when it is closed", "a1", "Grüße", true)]
    [InlineData("more than the answer", "a1", "Grüße an Bravo!", false)]
    public void Divergence_WritesNothing(string where, string artifact, string text, bool last)
    {
        var stream = Begin + Chunk(artifact, text, append: false, last: last);
        var (verdict, client) = Exchange.Recover(stream, Answer);
        Assert.True(verdict == AnswerVerdict.Divergent, where);
        Assert.Equal(stream, client);
    }

    [Theory]
    [InlineData("first artifact cut when the next began", """{"kind":"artifact-update","artifact":{"artifactId":"a2","parts":[{"kind":"text","text":"s"}]}}""")]
    [InlineData("progress was told", """{"kind":"status-update","status":{"state":"working","message":{"parts":[{"kind":"text","text":"x"}]}},"final":false}""")]
    [InlineData("data", """{"kind":"artifact-update","append":true,"artifact":{"artifactId":"a1","parts":[{"kind":"data","data":{}}]}}""")]
    [InlineData("replaced", """{"kind":"artifact-update","artifact":{"artifactId":"a1","parts":[{"kind":"text","text":"Grü"}]}}""")]
    [InlineData("began before this stream", """{"kind":"artifact-update","append":true,"artifact":{"artifactId":"a0","parts":[{"kind":"text","text":"Grü"}]}}""")]
    public void WhatCannotBeJoined_Diverges(string why, string result)
    {
        var (verdict, _) = Exchange.Recover(Chunk("a1", "Grü", append: false) + Event(result), Answer);
        Assert.True(verdict == AnswerVerdict.Divergent, why);
    }

    [Fact]
    public void ArtifactWithData_CannotBeContinued()
    {
        var answer = Answer.Replace("""{"kind":"text","text":"Bravo"}""", """{"kind":"data","data":{}}""");
        Assert.Equal(AnswerVerdict.Divergent, Exchange.Recover(Chunk("a1", "Grü", append: false), answer).Verdict);
        Assert.Contains("""{"artifactId":"x1","name":"essay","parts":[{"kind":"text","text":"Gr""", Exchange.Continue(null, answer).Text);
    }

    [Theory]
    [InlineData("<html>", "Unusable")]
    [InlineData("""{"result":{"kind":"task","status":{"state":"working"}}}""", "Unusable")]
    [InlineData("""{"result":{"kind":"task"}}""", "Unusable")]
    [InlineData("""{"result":{"task":{"status":{"state":"TASK_STATE_COMPLETED"}}}}""", "Unusable")]
    [InlineData("""{"result":{"kind":"task","status":{"state":"completed"}}}""", "Usable")]
    [InlineData("""{"result":{"kind":"task","status":{"state":"input-required"}}}""", "Usable")]
    [InlineData("""{"result":{"kind":"message","parts":[]}}""", "Usable")]
    [InlineData("""{"error":{"code":-32001,"message":"x"}}""", "Error")]
    public void Answer_Verdict(string answer, string verdict) =>
        Assert.Equal(verdict, Format.CheckAnswer(Exchange.Request, Encoding.UTF8.GetBytes(answer)).ToString());

    [Fact]
    public void MadeStream_IsWhole()
    {
        var (_, text) = Exchange.Continue(null, Answer.Replace("ü", "u").Replace("ß", "ss"));
        Assert.Equal(
            string.Concat(new[]
            {
                """{"kind":"task","id":"t2","contextId":"c2","status":{"state":"working"}}""",
                """{"kind":"artifact-update","taskId":"t2","contextId":"c2","artifact":{"artifactId":"x1","name":"essay","parts":[{"kind":"text","text":"Grusse an Bravo"}]},"append":false,"lastChunk":true}""",
                """{"kind":"artifact-update","taskId":"t2","contextId":"c2","artifact":{"artifactId":"x2","parts":[{"kind":"text","text":"second"}]},"append":false,"lastChunk":true}""",
                """{"kind":"status-update","taskId":"t2","contextId":"c2","status":{"state":"completed","timestamp":"2026-01-01T00:00:00Z","message":{"kind":"message","role":"agent","messageId":"z","taskId":"t2","contextId":"c2","parts":[{"kind":"text","text":"done"}]}},"final":true}""",
            }.Select(Event)),
            text);
    }

    [Fact]
    public void Splice_KeepsTheFirstTaskAndArtifact()
    {
        var (_, client) = Exchange.Recover(Begin + Chunk("a1", "Grüße", append: false), Answer);
        var made = Events(Format, client).Skip(3).ToList();
        Assert.Equal(3, made.Count);
        Assert.Contains("""{"kind":"artifact-update","taskId":"t1","contextId":"c1","artifact":{"artifactId":"a1","parts":[{"kind":"text","text":" an Bravo"}]},"append":true,"lastChunk":true}""", made[0]);
        Assert.All(made, e => Assert.DoesNotContain("t2", e));
        Assert.All(made, e => Assert.DoesNotContain("c2", e));
    }

    [Fact]
    public void LongArtifact_ComesInPieces()
    {
        var text = string.Concat(Enumerable.Repeat("wörd ", 400));
        var (_, stream) = Exchange.Continue(null, $$$"""{"result":{"kind":"task","id":"t","status":{"state":"completed"},"artifacts":[{"artifactId":"a","parts":[{"kind":"text","text":"{{{text}}}"}]}]}}""");
        Assert.InRange(Events(Format, stream).Count, 8, 20);
        Assert.Equal($"{text} [closed]|completed", Decode(stream));
    }

    [Fact]
    public void WaitingAgent_EndsAMessageButNotASubscription()
    {
        var waiting = Event("""{"kind":"task","id":"t","status":{"state":"input-required"}}""");
        Assert.Equal(GuardState.Done, Exchange.Run(waiting).State);
        var subscription = new GuardedStream(Format, """{"method":"tasks/resubscribe","id":1,"params":{"id":"t"}}""");
        Assert.Equal(GuardState.Faulted, subscription.Run(waiting).State);
    }

    [Fact]
    public void EveryProfile_MeansTheFinalUpdate() =>
        Assert.All(Enum.GetValues<TerminalProfile>(), p =>
        {
            Assert.Equal(GuardState.Done, Exchange.Run(Healthy, terminal: p).State);
            Assert.Equal(FaultKind.EndedWithoutTerminal, Exchange.Run(Begin + Chunk("a", "x", append: false), terminal: p).Fault);
        });

    [Fact]
    public void LoudEnding_RepeatsTheRequestsId()
    {
        static string Expected(string id) =>
            $$$$"""data: {"jsonrpc":"2.0","id":{{{{id}}}},"error":{"code":-32603,"message":"The upstream ended in mid-answer.","data":{"code":"upstream_truncated","status":502}}}""" + "\n\n";
        var request = GuardedStream.ReadRequest(Format, """{"jsonrpc":"2.0","id":"r-1","method":"message/stream"}""");
        using var reader = Format.NewReader(request, 100, TerminalProfile.Auto);
        Assert.Equal(Expected("\"r-1\""), Written(o => Format.WriteErrorEvent(Truncated, request, reader, o)));
        Assert.Equal(Expected("\"r-1\""), Written(o => Format.WriteErrorEvent(Truncated, request, null, o)));
        Assert.Equal(Expected("null"), Written(o => Format.WriteErrorEvent(Truncated, null, null, o)));
    }

    [Fact]
    public void ErrorBody_RepeatsTheRequestsId_WhereItWasRead()
    {
        var request = GuardedStream.ReadRequest(Format, """{"jsonrpc":"2.0","id":7,"method":"message/stream"}""");
        Assert.Contains("\"id\":7,", Written(o => Format.WriteErrorBody(Truncated, request, o)), StringComparison.Ordinal);
        var unread = Written(o => Format.WriteErrorBody(Truncated with { Status = 400 }, null, o));
        Assert.Contains("\"id\":null", unread, StringComparison.Ordinal);
        Assert.Contains("-32600", unread, StringComparison.Ordinal);
    }

    [Fact]
    public void Heartbeat_IsACommentLine() => Assert.Equal(": keepalive\n", Written(o => Format.WriteHeartbeat(null, o)));

    [Theory]
    [InlineData("""{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"x"}}""", "Other")]
    [InlineData("""{"result":{}}""", "None")]
    [InlineData("x", "None")]
    public void ErrorBody_Complaint(string body, string complaint) =>
        Assert.Equal(complaint, Format.ReadErrorBody(Encoding.UTF8.GetBytes(body)).ToString());

    [Fact]
    public void OverTheLimit_CannotBeSpliced()
    {
        using var reader = Exchange.NewReader(maxDeliveredBytes: 3);
        Assert.Equal(EventMeaning.Content, reader.Read("""{"result":{"kind":"artifact-update","artifact":{"artifactId":"a","parts":[{"kind":"text","text":"abcd"}]}}}"""));
        Assert.False(reader.CanSplice);
    }

    [Fact]
    public void TextOfAKnownArtifact_AllocatesNothing() =>
        Assert.Equal(0, Exchange.AllocatedBy(
            """{"jsonrpc":"2.0","id":"r-1","result":{"kind":"artifact-update","taskId":"t","contextId":"c","artifact":{"artifactId":"a","parts":[{"kind":"text","text":" w\u00f6rd"}]},"append":true}}""",
            first: """{"jsonrpc":"2.0","id":"r-1","result":{"kind":"artifact-update","taskId":"t","contextId":"c","artifact":{"artifactId":"a","parts":[{"kind":"text","text":"w"}]}}}"""));

    [Theory]
    [InlineData("""{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"no such method"}}""", true)]
    [InlineData("""{"jsonrpc":"2.0","id":1,"error":{"code":-32001,"message":"no such task"}}""", true)]
    [InlineData("""{"jsonrpc":"2.0","id":1,"error":{"code":-32603,"message":"internal"}}""", false)]
    [InlineData("""{"jsonrpc":"2.0","id":1,"error":{"code":-32006,"message":"the agent's answer is invalid"}}""", false)]
    [InlineData("""{"jsonrpc":"2.0","id":1,"error":{"code":-32000,"message":"server"}}""", false)]
    [InlineData("""{"jsonrpc":"2.0","id":1,"error":{"code":-32601.5}}""", false)]
    [InlineData("""{"jsonrpc":"2.0","id":1,"error":"-32601"}""", false)]
    [InlineData("""{"jsonrpc":"2.0","id":1,"result":{"code":-32601}}""", false)]
    [InlineData("-32601", false)]
    [InlineData("{", false)]
    public void ErrorUnder200_IsTheRequestsWhereItsCodeSaysSo(string body, bool isOfRequest) =>
        Assert.Equal(isOfRequest, Format.IsErrorOfRequest(Encoding.UTF8.GetBytes(body)));

    private static string Event(string result) => $$$"""data: {"jsonrpc":"2.0","id":"r-1","result":{{{result}}}}""" + "\n\n";

    private static string Chunk(string artifact, string text, bool append = true, bool last = false) => Event(
        $$$"""{"kind":"artifact-update","taskId":"t1","contextId":"c1","artifact":{"artifactId":"{{{artifact}}}","parts":[{"kind":"text","text":"{{{text}}}"}]},"append":{{{(append ? "true" : "false")}}},"lastChunk":{{{(last ? "true" : "false")}}} }""");

    /// <summary>What a client has in the end: its artifacts in order, or a message, and the final state. Throws where the stream does not end once.</summary>
    private static string Decode(string stream)
    {
        var (artifacts, closed, end, task) = (new List<(string Id, string Text)>(), new HashSet<string>(), "", "");
        foreach (var data in Events(Format, stream))
        {
            Assert.Equal("", end);
            using var document = JsonDocument.Parse(data);
            Assert.Equal("r-1", document.RootElement.GetProperty("id").GetString());
            var result = document.RootElement.GetProperty("result");
            switch (result.GetProperty("kind").GetString())
            {
                case "artifact-update":
                    var artifact = result.GetProperty("artifact");
                    var id = artifact.GetProperty("artifactId").GetString()!;
                    var text = string.Concat(artifact.GetProperty("parts").EnumerateArray().Select(p => p.GetProperty("text").GetString()));
                    var known = artifacts.FindIndex(a => a.Id == id);
                    Assert.Equal(known >= 0, result.GetProperty("append").GetBoolean());
                    Assert.DoesNotContain(id, closed);
                    if (known >= 0)
                    {
                        artifacts[known] = (id, artifacts[known].Text + text);
                    }
                    else
                    {
                        artifacts.Add((id, text));
                    }

                    if (result.GetProperty("lastChunk").GetBoolean())
                    {
                        closed.Add(id);
                    }

                    break;
                case "status-update":
                    task = SameTask(task, result.TryGetProperty("taskId", out var t) ? t.GetString()! : "");
                    end = result.GetProperty("final").GetBoolean() ? result.GetProperty("status").GetProperty("state").GetString()! : "";
                    break;
                case "task":
                    task = SameTask(task, result.GetProperty("id").GetString()!);
                    break;
                case "message":
                    end = "message " + Compact(result.GetProperty("parts"));
                    break;
            }
        }

        Assert.NotEqual("", end);
        return string.Concat(artifacts.Select(a => a.Text + (closed.Contains(a.Id) ? " [closed]|" : "|"))) + end;
    }

    private static string SameTask(string before, string now)
    {
        Assert.True(before == "" || before == now, "The task changes.");
        return now;
    }
}
