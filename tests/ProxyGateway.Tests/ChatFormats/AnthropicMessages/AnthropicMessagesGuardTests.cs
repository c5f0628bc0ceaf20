using System.Text;
using ProxyGateway.StreamingFallback.ChatFormats;
using ProxyGateway.StreamingFallback.ChatFormats.AnthropicMessages;
using ProxyGateway.StreamingFallback.Configuration;
using ProxyGateway.StreamingFallback.Guard;
using ProxyGateway.StreamingFallback.Telemetry;
using Xunit;

namespace ProxyGateway.Tests.ChatFormats.AnthropicMessages;

/// <summary>Whole streams through the guard: pieces, endings, and a cut at every byte.</summary>
public sealed class AnthropicMessagesGuardTests
{
    public static TheoryData<string> Names => [.. FixtureStreams.All.Select(f => f.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void HealthyStream_PassesUntouchedInAnyPieces(string name)
    {
        var (_, stream, answer) = FixtureStreams.All.Single(f => f.Name == name);
        foreach (var piece in (int[])[int.MaxValue, 1, 7, 64])
        {
            var run = GuardedStream.Run(Wire.Utf8(stream), piece: piece);
            Assert.Equal(GuardState.Done, run.Guard.State);
            Assert.Equal(stream, Encoding.UTF8.GetString(run.Client));
        }

        Assert.Equal(ClientMessage.Comparable(answer), ClientMessage.Comparable(ClientMessage.Read(Wire.Utf8(stream)).Content));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void StreamWithOtherLineEnds_PassesUntouchedInAnyPieces(string name)
    {
        var stream = FixtureStreams.All.Single(f => f.Name == name).Stream;
        foreach (var lineEnd in (string[])["\r\n", "\r"])
        {
            var bytes = Wire.Utf8(stream.Replace("\n", lineEnd, StringComparison.Ordinal));
            foreach (var piece in (int[])[int.MaxValue, 1, 7])
            {
                Assert.Equal(bytes, GuardedStream.Run(bytes, piece: piece).Client);
            }
        }
    }

    [Fact]
    public void BlockAfterTheStopReason_IsDroppedWhole()
    {
        var message = Wire.MessageStart + Wire.StartText(0) + Wire.Text(0, "Hi") + Wire.Stop(0) + Wire.MessageDelta();
        var run = GuardedStream.Run(message + Wire.StartText(1) + Wire.Text(1, "more") + Wire.Stop(1) + Wire.MessageStop);
        Assert.Equal(GuardState.Done, run.Guard.State);
        Assert.Equal(message + Wire.MessageStop, Encoding.UTF8.GetString(run.Client));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void CutAtEveryByte_GivesTheWholeAnswerOrAnHonestFault(string name)
    {
        var (_, stream, answer) = FixtureStreams.All.Single(f => f.Name == name);
        var bytes = Wire.Utf8(stream);
        var whole = ClientMessage.Comparable(answer);
        int joined = 0, terminated = 0, complete = 0;
        for (var cut = 0; cut <= bytes.Length; cut++)
        {
            var run = GuardedStream.Run(bytes.AsSpan(0, cut), FaultKind.EndedEarly);
            if (run.Guard.State == GuardState.Faulted)
            {
                var inThinking = run.Reader.Delivered != DeliveredKind.Nothing && run.Reader.Message.Blocks.Any(b => b.IsReasoning && !b.IsWholeReasoning);
                var verdict = run.Continue(answer);
                Assert.Equal(inThinking ? AnswerVerdict.Divergent : AnswerVerdict.Usable, verdict);
                if (inThinking)
                {
                    Assert.False(ClientMessage.Read(run.Client).Complete);
                    terminated++;
                    continue;
                }

                joined++;
            }
            else
            {
                complete++;
            }

            var message = ClientMessage.Read(run.Client);
            Assert.True(message.Complete);
            Assert.Equal(whole, ClientMessage.Comparable(message.Content));
        }

        Assert.True(joined > bytes.Length / 2, $"{joined} of {bytes.Length}");
        Assert.Equal(name == "tools", terminated > 0);
        Assert.True(complete > 0);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void DifferentReplayAtEveryByte_IsNeverAppended(string name)
    {
        var stream = FixtureStreams.All.Single(f => f.Name == name).Stream;
        var bytes = Wire.Utf8(stream);
        var other = Wire.Answer("""{"type":"text","text":"Something else."}""");
        for (var cut = 0; cut < bytes.Length; cut++)
        {
            var run = GuardedStream.Run(bytes.AsSpan(0, cut), FaultKind.ConnectionReset);
            if (run.Guard.State != GuardState.Faulted)
            {
                continue;
            }

            // Before content, and after whole thinking alone, nothing was said that could differ; nor in a text block that was just opened.
            var free = run.Reader.Delivered == DeliveredKind.Nothing
                || run.Reader.Message.Blocks.All(b => b.IsReasoning ? b.IsWholeReasoning : b is { Kind: BlockKind.Text, Closed: false, TextOrEmpty.Length: 0 });
            Assert.Equal(free ? AnswerVerdict.Usable : AnswerVerdict.Divergent, run.Continue(other));
        }
    }

    [Theory]
    [InlineData("no message_stop", "", true)]
    [InlineData("reset instead of message_stop", "", false)]
    [InlineData("error instead of message_stop", "event: error\ndata: {\"type\":\"error\",\"error\":{}}\n\n", false)]
    [InlineData("message_stop without event line", "data: {\"type\":\"message_stop\"}\n\n", true)]
    [InlineData("another format's end", "data: [DONE]\n\n", true)]
    public void StopReasonWithoutEnd_IsGivenOne(string situation, string tail, bool clean)
    {
        Assert.NotEmpty(situation);
        var delivered = Wire.MessageStart + Wire.StartText(0) + Wire.Text(0, "A") + Wire.Stop(0) + Wire.MessageDelta();
        var run = GuardedStream.Run(delivered + tail, clean ? FaultKind.None : FaultKind.ConnectionReset);
        Assert.Equal(GuardState.Done, run.Guard.State);
        Assert.Equal(delivered + Wire.MessageStop, Encoding.UTF8.GetString(run.Client));
    }

    [Theory]
    [InlineData("ends cleanly in mid-text", "<A", nameof(FaultKind.EndedWithoutTerminal))]
    [InlineData("ends cleanly after a block", "<A>", nameof(FaultKind.EndedWithoutTerminal))]
    [InlineData("message_stop over an open block", "<A!", nameof(FaultKind.MalformedEvents))]
    [InlineData("stop reason over an open block", "<A$", nameof(FaultKind.MalformedEvents))]
    [InlineData("second message_start", "<A^", nameof(FaultKind.MalformedEvents))]
    [InlineData("delta into a closed block", "<A>A", nameof(FaultKind.MalformedEvents))]
    [InlineData("three malformed events", "<A???", nameof(FaultKind.MalformedEvents))]
    [InlineData("error event", "<AE", nameof(FaultKind.ErrorEvent))]
    public void BrokenStream_IsAFault(string situation, string events, string fault)
    {
        Assert.NotEmpty(situation);
        var passed = "";
        var stream = Wire.MessageStart;
        foreach (var e in events)
        {
            stream += e switch
            {
                '<' => Wire.StartText(0),
                'A' => Wire.Text(0, "A"),
                '>' => Wire.Stop(0),
                '!' => Wire.MessageStop,
                '$' => Wire.MessageDelta(),
                '^' => Wire.MessageStart,
                'E' => Wire.Event("""{"type":"error","error":{"type":"api_error","message":"x"}}"""),
                _ => "event: content_block_delta\ndata: {\"type\":\n\n",
            };
            passed = passed.Length > 0 || e == 'A' ? Wire.MessageStart + Wire.StartText(0) + Wire.Text(0, "A") + (events.StartsWith("<A>", StringComparison.Ordinal) ? Wire.Stop(0) : "") : passed;
        }

        var run = GuardedStream.Run(stream);
        Assert.Equal(GuardState.Faulted, run.Guard.State);
        Assert.Equal(fault, run.Guard.Fault.ToString());
        Assert.Equal(passed, Encoding.UTF8.GetString(run.Client));
    }

    [Fact]
    public void HalfACall_NeverReachesItsStop()
    {
        var delivered = Wire.MessageStart + Wire.StartTool(0) + Wire.Input(0, "{\"path\":\"/et");
        var run = GuardedStream.Run(delivered + Wire.Stop(0) + Wire.End("tool_use"));
        Assert.Equal(FaultKind.BrokenToolCall, run.Guard.Fault);
        Assert.Equal(delivered, Encoding.UTF8.GetString(run.Client));
        Assert.Equal(AnswerVerdict.Usable, run.Continue(Wire.Answer("""{"type":"tool_use","id":"x","name":"look_up","input":{"path":"/etc/hosts"}}""", "tool_use")));
        var call = ClientMessage.Read(run.Client).Content[0]!;
        Assert.Equal("/etc/hosts", (string?)call["input"]!["path"]);
        Assert.Equal("toolu_1", (string?)call["id"]);
    }

    [Fact]
    public void StreamWithoutEventLines_IsAFaultBeforeAnythingIsDelivered()
    {
        var unnamed = string.Join('\n', FixtureStreams.Text.Split('\n').Where(l => !l.StartsWith("event:", StringComparison.Ordinal)));
        var run = GuardedStream.Run(unnamed);
        Assert.Equal(FaultKind.MalformedEvents, run.Guard.Fault);
        Assert.Empty(run.Client);
        Assert.Equal(AnswerVerdict.Usable, run.Continue(FixtureStreams.TextAnswer));
        Assert.True(ClientMessage.Read(run.Client).Complete);
    }

    [Fact]
    public void LifecycleOnly_IsNothingDelivered()
    {
        var run = GuardedStream.Run(Wire.MessageStart + Wire.Ping + Wire.StartText(0), FaultKind.FirstContentTimeout);
        Assert.Empty(run.Client);
        Assert.Equal(DeliveredKind.Nothing, run.Reader.Delivered);
        Assert.Equal(AnswerVerdict.Usable, run.Continue(FixtureStreams.TextAnswer));
        Assert.Equal("msg_replay", ClientMessage.Read(run.Client).Id);
    }

    [Theory]
    [InlineData(TerminalProfile.Auto, true, true)]
    [InlineData(TerminalProfile.Either, true, true)]
    [InlineData(TerminalProfile.FinishReason, true, false)]
    [InlineData(TerminalProfile.Done, false, true)]
    public void TerminalProfile_SaysWhatEndsAStream(TerminalProfile terminal, bool byStopReason, bool byMessageStop)
    {
        var content = Wire.MessageStart + Wire.StartText(0) + Wire.Text(0, "A") + Wire.Stop(0);
        Assert.Equal(byStopReason ? GuardState.Done : GuardState.Faulted, GuardedStream.Run(content + Wire.MessageDelta(), terminal: terminal).Guard.State);
        Assert.Equal(byMessageStop ? GuardState.Done : GuardState.Faulted, GuardedStream.Run(content + Wire.MessageStop, terminal: terminal).Guard.State);
        Assert.Equal(GuardState.Done, GuardedStream.Run(content + Wire.End(), terminal: terminal).Guard.State);
    }

    [Fact]
    public void StopReasonThatIsNoTerminal_IsHeldUntilThereIsOne()
    {
        var content = Wire.MessageStart + Wire.StartText(0) + Wire.Text(0, "A") + Wire.Stop(0);
        var whole = GuardedStream.Run(content + Wire.MessageDelta() + Wire.Ping + Wire.MessageStop, terminal: TerminalProfile.Done);
        Assert.Equal(content + Wire.MessageDelta() + Wire.Ping + Wire.MessageStop, Encoding.UTF8.GetString(whole.Client));
        var cut = GuardedStream.Run(content + Wire.MessageDelta() + Wire.Ping, terminal: TerminalProfile.Done);
        Assert.Equal(content, Encoding.UTF8.GetString(cut.Client));
        Assert.Equal(AnswerVerdict.Usable, cut.Continue(Wire.Answer("""{"type":"text","text":"A"}""")));
        Assert.True(ClientMessage.Read(cut.Client).Complete);
    }

    [Fact]
    public void OneMalformedEvent_IsDroppedAndCounted()
    {
        var stream = FixtureStreams.Text.Replace(Wire.Ping, "event: ping\ndata: {\n\n", StringComparison.Ordinal);
        var run = GuardedStream.Run(stream);
        Assert.Equal(GuardState.Done, run.Guard.State);
        Assert.Equal(2, run.Guard.MalformedEvents);
        Assert.Equal(FixtureStreams.Text.Replace(Wire.Ping, "", StringComparison.Ordinal), Encoding.UTF8.GetString(run.Client));
    }

    [Fact]
    public void WhatFollowsMessageStop_IsDropped()
    {
        var run = GuardedStream.Run(FixtureStreams.Text + ": trailer\n\n" + FixtureStreams.Text);
        Assert.Equal(FixtureStreams.Text, Encoding.UTF8.GetString(run.Client));
    }
}
