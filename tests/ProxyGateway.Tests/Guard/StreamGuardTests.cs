using System.Text;
using ProxyGateway.StreamingFallback.ChatFormats;
using ProxyGateway.StreamingFallback.Configuration;
using ProxyGateway.StreamingFallback.Guard;
using ProxyGateway.StreamingFallback.Telemetry;
using ProxyGateway.TestKit.Chats;
using ProxyGateway.TestKit.Data;
using ProxyGateway.Tests.Allocations;
using Xunit;

namespace ProxyGateway.Tests.Guard;

public sealed class StreamGuardTests
{
    private static readonly Chat C = Chat.Default;

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(int.MaxValue)]
    public void HealthyStream_PassesByteForByte(int chunk)
    {
        foreach (var lineEnd in new[] { "\n", "\r\n", "\r" })
        {
            var stream = Encoding.UTF8.GetString((C with { LineEnd = lineEnd }).Stream(ChatChoice.Of("Hello", " Wörld", " 👋"), usage: true));
            using var run = new GuardRun().Push(stream, chunk).End();
            Assert.Equal(stream, run.Output);
            Assert.Equal(GuardState.Done, run.Guard.State);
        }
    }

    [Fact]
    public void LineFeedLongAfterACarriageReturnEndedTheStream_IsDropped()
    {
        var stream = Encoding.UTF8.GetString((C with { LineEnd = "\r" }).Stream("Hello"));
        using var run = new GuardRun().Push(stream + "<html>\n\n", 1).End();
        Assert.Equal(stream, run.Output);
    }

    [Theory]
    [InlineData("\n\n")]
    [InlineData("")]
    public void EventTooLargeBehindTheStopReason_IsDropped(string end)
    {
        var whole = Encoding.UTF8.GetString(C.Stream("Hello"));
        var finished = whole[..whole.IndexOf("data: [DONE]", StringComparison.Ordinal)];
        foreach (var chunk in new[] { 7, int.MaxValue })
        {
            using var run = new GuardRun(maxEventBytes: 1024).Push(finished + "data: " + new string('x', 2000) + end, chunk).End(FaultKind.ConnectionReset);

            Assert.Equal((GuardState.Done, whole), (run.Guard.State, run.Output));
        }
    }

    [Fact]
    public void EndMarkerBehindCutArguments_IsAFault()
    {
        using var run = new GuardRun().Push(C.Role() + C.Tool(0, "call_1", "get") + C.Arguments(0, "{\"a\":") + Chat.Done).End();
        Assert.Equal(FaultKind.BrokenToolCall, run.Guard.Fault);
        Assert.DoesNotContain("[DONE]", run.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("da\n\n")]
    [InlineData(": late\n\n")]
    public void WhereOnlyTheEndMarkerCounts_AStopReasonWaitsForIt(string between)
    {
        using var cut = new GuardRun(terminal: TerminalProfile.Done).Push(C.Role() + C.Text("a") + C.Finish() + between).End();
        Assert.Equal(C.Role() + C.Text("a"), cut.Output);
        using var whole = new GuardRun(terminal: TerminalProfile.Done).Push(C.Role() + C.Text("a") + C.Finish() + between + C.Usage() + Chat.Done).End();
        Assert.Equal(C.Role() + C.Text("a") + C.Finish() + between + C.Usage() + Chat.Done, whole.Output);
    }

    [Fact]
    public void StopReasonThatWasTakenBack_IsMadeFromTheReplay()
    {
        var last = C.Chunk("{\"index\":0,\"delta\":{\"content\":\"b\"},\"finish_reason\":\"stop\"}");
        using var run = new GuardRun(terminal: TerminalProfile.Done).Push(C.Role() + C.Text("a") + last).End(FaultKind.EndedEarly);
        Assert.Equal(C.Role() + C.Text("a"), run.Output);
        using var rest = new StreamingFallback.Buffers.PooledBuffer();
        var request = new ChatRequest { Streaming = true };
        Assert.Equal(AnswerVerdict.Usable, ChatFormatRegistry.Find("openai-chat")!.Continue(request, run.Guard.Reader, C.Completion("a", "b"), rest));
        var made = Encoding.UTF8.GetString(rest.Span);
        Assert.Contains("\"content\":\"b\"", made, StringComparison.Ordinal);
        Assert.Contains("\"finish_reason\":\"stop\"", made, StringComparison.Ordinal);
    }

    [Fact]
    public void BeforeContent_NothingPasses()
    {
        using var run = new GuardRun().Push(": hi\n\n").Push(C.Role());
        Assert.Equal("", run.Output);
        run.Push(C.Text("x"));
        Assert.Equal(": hi\n\n" + C.Role() + C.Text("x"), run.Output);
    }

    [Fact]
    public void HalfAnEvent_IsNeverPassed()
    {
        var text = C.Text("second");
        for (var cut = 0; cut < text.Length; cut++)
        {
            using var run = new GuardRun().Push(C.Text("first")).Push(text[..cut]).End(FaultKind.EndedEarly);
            Assert.Equal(C.Text("first"), run.Output);
            Assert.Equal(FaultKind.EndedEarly, run.Guard.Fault);
        }
    }

    [Theory]
    [InlineData("", nameof(FaultKind.EmptyStream))]
    [InlineData(": ping\n\n", nameof(FaultKind.EmptyStream))]
    [InlineData("data: [DONE]\n\n", nameof(FaultKind.EmptyStream))]
    [InlineData("data: {\"error\":{\"message\":\"x\"}}\n\ndata: [DONE]\n\n", nameof(FaultKind.ErrorEvent))]
    [InlineData("data: {\"object\":\"error\",\"message\":\"x\"}\n\n", nameof(FaultKind.ErrorEvent))]
    [InlineData("event: error\ndata: {\"x\":1}\n\n", nameof(FaultKind.ErrorEvent))]
    [InlineData("data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"error\"}]}\n\n", nameof(FaultKind.ErrorEvent))]
    [InlineData("data: nonsense\n\ndata: {\n\ndata: [\n\n", nameof(FaultKind.MalformedEvents))]
    [InlineData("data: nonsense\n\ndata: {\n\ndata: \n\ndata: [\n\n", nameof(FaultKind.MalformedEvents))]
    [InlineData("data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"x\"},\"delta\":{}}]}\n\n", nameof(FaultKind.EmptyStream))]
    public void StreamsWithoutAnAnswer_AreFaults(string stream, string fault)
    {
        using var run = new GuardRun().Push(stream).End();
        Assert.Equal(GuardState.Faulted, run.Guard.State);
        Assert.Equal(fault, run.Guard.Fault.ToString());
        Assert.Equal("", run.Output);
    }

    [Fact]
    public void CleanEndWithoutTerminal_IsAFault()
    {
        using var run = new GuardRun().Push(C.Role() + C.Text("half")).End();
        Assert.Equal(FaultKind.EndedWithoutTerminal, run.Guard.Fault);
    }

    [Fact]
    public void FinishReasonWithoutDone_IsCompleteAndGetsItsDone()
    {
        using var run = new GuardRun().Push(C.Text("x") + C.Finish()).End();
        Assert.Equal(C.Text("x") + C.Finish() + Chat.Done, run.Output);
        Assert.Equal(GuardState.Done, run.Guard.State);
    }

    [Fact]
    public void ResetAfterFinish_IsComplete()
    {
        using var run = new GuardRun().Push(C.Text("x") + C.Finish() + "data: {\"hal").End(FaultKind.EndedEarly);
        Assert.Equal(C.Text("x") + C.Finish() + Chat.Done, run.Output);
    }

    [Fact]
    public void ErrorAfterFinish_DoesNotUndoTheAnswer()
    {
        using var run = new GuardRun().Push(C.Text("x") + C.Finish() + "data: {\"error\":{}}\n\n").End();
        Assert.Equal(C.Text("x") + C.Finish() + Chat.Done, run.Output);
    }

    [Fact]
    public void WhatFollowsDone_IsDropped()
    {
        using var run = new GuardRun().Push(C.Text("x") + C.Finish() + Chat.Done + C.Text("more")).End();
        Assert.Equal(C.Text("x") + C.Finish() + Chat.Done, run.Output);
    }

    [Theory]
    [InlineData("data: [DONE]")]
    [InlineData("data: [DONE]\n")]
    public void LastEventWithoutBlankLine_CountsAtACleanEnd(string last)
    {
        using var run = new GuardRun().Push(C.Text("x") + last).End();
        Assert.Equal(C.Text("x") + Chat.Done, run.Output);
    }

    [Theory]
    [InlineData("d")]
    [InlineData("data")]
    [InlineData("data: ")]
    [InlineData("data: {\"cho")]
    [InlineData(": comm")]
    public void HalfALineAtACleanEnd_IsNotMadeAnEvent(string half)
    {
        using var run = new GuardRun().Push(C.Text("x") + half).End();
        Assert.Equal(C.Text("x"), run.Output);
        Assert.Equal(FaultKind.EndedWithoutTerminal, run.Guard.Fault);
    }

    [Fact]
    public void OneMalformedEvent_IsDroppedAndCounted()
    {
        using var run = new GuardRun().Push(C.Text("a") + "data: {oops\n\n" + C.Text("b") + C.Finish() + Chat.Done).End();
        Assert.Equal(C.Text("a") + C.Text("b") + C.Finish() + Chat.Done, run.Output);
        Assert.Equal(1, run.Guard.MalformedEvents);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(int.MaxValue)]
    public void DroppedEvent_TakesItsLineEndWithIt(int chunk)
    {
        var crlf = C with { LineEnd = "\r\n" };
        using var run = new GuardRun().Push(crlf.Text("a") + "data: {\r\n\r\n" + crlf.Text("b"), chunk);
        Assert.Equal(crlf.Text("a") + crlf.Text("b"), run.Output);
    }

    [Fact]
    public void MalformedEvents_NeedToBeInARow()
    {
        const string Bad = "data: {oops\n\n";
        using var run = new GuardRun().Push(C.Text("a") + Bad + Bad + C.Text("b") + Bad + Bad + C.Text("c"));
        Assert.Equal(GuardState.Flowing, run.Guard.State);
        run.Push(Bad + Bad + Bad);
        Assert.Equal(FaultKind.MalformedEvents, run.Guard.Fault);
    }

    [Fact]
    public void HeldBytes_AreBounded()
    {
        using var one = new GuardRun(maxEventBytes: 1000).Push("data: " + new string('x', 2000), chunk: 64);
        Assert.Equal(FaultKind.EventTooLarge, one.Guard.Fault);
        using var many = new GuardRun(maxEventBytes: 1000);
        for (var i = 0; i < 100 && many.Guard.State == GuardState.Holding; i++)
        {
            many.Push(": a comment of some length\n\n");
        }

        Assert.Equal(FaultKind.EventTooLarge, many.Guard.Fault);
        Assert.Equal("", many.Output);
    }

    [Fact]
    public void FinishAfterCutArguments_IsHeldBack()
    {
        using var run = new GuardRun().Push(C.Tool(0, "call_1", "f", "{\"city\":\"Par") + C.Finish("tool_calls"));
        Assert.Equal(FaultKind.BrokenToolCall, run.Guard.Fault);
        Assert.Equal(C.Tool(0, "call_1", "f", "{\"city\":\"Par"), run.Output);
    }

    [Fact]
    public void ContentInARefusedFinish_IsNotCountedAsDelivered()
    {
        const string Finish = "data: {\"choices\":[{\"index\":0,\"delta\":{\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":\"is\"}}]},\"finish_reason\":\"tool_calls\"}]}\n\n";
        using var run = new GuardRun().Push(C.Tool(0, "call_1", "f", "{\"city\":\"Par") + Finish);
        Assert.Equal(FaultKind.BrokenToolCall, run.Guard.Fault);
        Assert.Equal("{\"city\":\"Par", Encoding.UTF8.GetString(run.Reader.Choices[0].ToolCalls[0].Arguments.Span));
        Assert.False(run.Reader.Choices[0].Finished);
    }

    [Fact]
    public void TwoChoices_FinishOnlyTogether()
    {
        using var run = new GuardRun(new ChatRequest { Streaming = true, ChoiceCount = 2 });
        run.Push(C.Text("a") + C.Text("b", 1) + C.Finish());
        Assert.Equal(GuardState.Flowing, run.Guard.State);
        run.Push(C.Finish(choice: 1));
        Assert.Equal(GuardState.Finished, run.Guard.State);
    }

    [Theory]
    [InlineData("data: {\"choices\":[{\"index\":1,\"delta\":{}}]}\n\n")]
    [InlineData("data: {\"choices\":[],\"usage\":{\"completion_tokens\":1}}\n\n")]
    [InlineData(": a comment\n\n")]
    public void WhatComesAfterTheFinish_DoesNotUndoIt(string late)
    {
        var stream = C.Finish() + late + "data:[DONE]\n\n";
        using var run = new GuardRun().Push(stream);
        Assert.Equal((GuardState.Done, stream), (run.Guard.State, run.Output));
    }

    [Theory]
    [InlineData("{\"content\":\"late\"}")]
    [InlineData("{\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":\"{\"}}]}")]
    public void ContentAfterTheFinish_IsDropped_AndTheEndMarkerStillTheEnd(string delta)
    {
        var late = $$"""data: {"choices":[{"index":0,"delta":{{delta}}}]}""" + "\n\n";
        using var run = new GuardRun().Push(C.Text("a") + C.Finish() + late + Chat.Done);
        Assert.Equal((GuardState.Done, C.Text("a") + C.Finish() + Chat.Done, 1), (run.Guard.State, run.Output, run.Guard.ContentEvents));
    }

    [Fact]
    public void ContentAfterTheFinish_ThatBreaksOff_IsNotWhatTheClientGets()
    {
        using var run = new GuardRun().Push(C.Text("a") + C.Finish() + C.Text("late")).End(FaultKind.ConnectionReset);
        Assert.Equal((GuardState.Done, C.Text("a") + C.Finish() + Chat.Done), (run.Guard.State, run.Output));
    }

    [Theory]
    [InlineData(TerminalProfile.FinishReason, nameof(GuardState.Faulted))]
    [InlineData(TerminalProfile.Done, nameof(GuardState.Done))]
    [InlineData(TerminalProfile.Auto, nameof(GuardState.Done))]
    public void DoneWithoutFinishReason_DependsOnTheClustersProfile(TerminalProfile profile, string state)
    {
        using var run = new GuardRun(terminal: profile).Push(C.Text("a") + Chat.Done).End();
        Assert.Equal(state, run.Guard.State.ToString());
    }

    [Fact]
    public void FinishReasonAlone_IsNoEndWhereTheProfileWantsDone()
    {
        using var run = new GuardRun(terminal: TerminalProfile.Done).Push(C.Text("a") + C.Finish()).End();
        Assert.Equal(FaultKind.EndedWithoutTerminal, run.Guard.Fault);
    }

    [Fact]
    public void RecordedStreams_PassByteForByte_HoweverCut()
    {
        if (SharedData.Require() is not { } folder)
        {
            Assert.Skip("the shared data is not here");
            return;
        }

        var streams = RecordedStreams.Load(folder).Where(s => s.Format == "openai-chat").ToList();
        var complete = 0;
        foreach (var stream in streams)
        {
            using var whole = new GuardRun().Push(stream.Bytes).End();
            foreach (var chunk in new[] { 1, 7, 100 })
            {
                using var cut = new GuardRun().Push(stream.Bytes, chunk).End();
                Assert.Equal(whole.Output, cut.Output);
                Assert.Equal((whole.Guard.State, whole.Guard.Fault), (cut.Guard.State, cut.Guard.Fault));
            }

            if (whole.Guard.State == GuardState.Done)
            {
                complete++;
                Assert.StartsWith(whole.Output[..^Math.Min(Chat.Done.Length, whole.Output.Length)], Encoding.UTF8.GetString(stream.Bytes), StringComparison.Ordinal);
            }
        }

        Assert.True(complete >= 20, $"{complete} of {streams.Count} recorded streams are complete");
    }

    [Fact]
    public void OrdinaryTextEvents_AllocateNothing()
    {
        using var run = new GuardRun(maxDelivered: 0);
        var one = Encoding.UTF8.GetBytes(C.Text("token "));
        var sink = new CountingWriter();
        run.Guard.Push(one, sink);
        run.Guard.Push(one, sink);
        var pushed = 2L;
        var allocated = Allocated.Least(() =>
        {
            for (var i = 0; i < 10_000; i++, pushed++)
            {
                run.Guard.Push(one, sink);
            }
        });

        Assert.Equal(0, allocated);
        Assert.Equal(pushed * one.Length, sink.Written);
    }

    private sealed class CountingWriter : System.Buffers.IBufferWriter<byte>
    {
        private readonly byte[] _space = new byte[64 * 1024];

        public long Written { get; private set; }

        public void Advance(int count) => Written += count;

        public Memory<byte> GetMemory(int sizeHint = 0) => _space;

        public Span<byte> GetSpan(int sizeHint = 0) => _space;
    }
}
