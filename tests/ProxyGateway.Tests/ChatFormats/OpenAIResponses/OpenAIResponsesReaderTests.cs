using ProxyGateway.StreamingFallback.ChatFormats;
using ProxyGateway.StreamingFallback.Configuration;
using ProxyGateway.Tests.Allocations;
using Xunit;
using static ProxyGateway.StreamingFallback.ChatFormats.EventMeaning;
using static ProxyGateway.Tests.ChatFormats.OpenAIResponses.ResponsesFixtures;

namespace ProxyGateway.Tests.ChatFormats.OpenAIResponses;

public sealed class OpenAIResponsesReaderTests
{
    private const string Created = """{"type":"response.created","sequence_number":0,"response":{"id":"resp_1","created_at":5,"model":"m","output":[]}}""";
    private const string MessageAdded = """{"type":"response.output_item.added","output_index":0,"item":{"id":"msg_1","type":"message","role":"assistant","content":[]}}""";
    private const string CallAdded = """{"type":"response.output_item.added","output_index":0,"item":{"id":"fc_1","type":"function_call","call_id":"c","name":"f","arguments":""}}""";
    private const string Hello = """{"type":"response.output_text.delta","item_id":"msg_1","output_index":0,"content_index":0,"delta":"Hello"}""";
    private const string HelloDone = """{"type":"response.output_text.done","item_id":"msg_1","output_index":0,"content_index":0,"text":"Hello"}""";
    private const string Completed = """{"type":"response.completed","response":{"id":"resp_1","status":"completed","output":[]}}""";

    [Fact]
    public void TextStream_MeansThisEventByEvent()
    {
        using var reader = NewReader();

        var meanings = reader.ReadAll(Script("text").Bytes);

        Assert.Equal(
            [
                Lifecycle, Lifecycle, // created, in_progress
                Lifecycle, Hold, // an empty reasoning item
                Lifecycle, Lifecycle, // message, part
                Content, Content, Content, Content, Content, // four deltas, an annotation
                Hold, Hold, Content | Hold, // text, part, item
                Finish,
            ],
            meanings);
        Assert.True(reader.IsFinished);
    }

    [Fact]
    public void CallStream_MeansThisEventByEvent()
    {
        using var reader = NewReader();

        var meanings = reader.ReadAll(Script("calls").Bytes);

        Assert.Equal(
            [
                Lifecycle, Lifecycle,
                Lifecycle, Lifecycle, Content, Hold, Hold, Content | Hold,
                Lifecycle, Content, Content, Content, Content | Hold, Content | Hold,
                Lifecycle, Content, Content | Hold, Content | Hold,
                Finish,
            ],
            meanings);
        Assert.Equal(DeliveredKind.ToolCallComplete, reader.Delivered);
    }

    [Theory]
    [InlineData("""{"type":"response.output_text.delta","output_index":0,"content_index":0,"delta":""}""", Lifecycle)]
    [InlineData("""{"type":"response.output_text.delta","output_index":0,"content_index":0,"delta":null}""", Lifecycle)]
    [InlineData("""{"delta":"x","output_index":0,"content_index":0,"type":"response.output_text.delta"}""", Content)]
    [InlineData("""{"delta":"x","output_index":0,"content_index":0,"type":"response\u002eoutput_text\u002edelta"}""", Content)]
    [InlineData("""{"type":"response.refusal.delta","output_index":0,"content_index":0,"delta":"x"}""", Content)]
    [InlineData("""{"type":"response.new_thing.delta","output_index":0,"delta":"x"}""", Content)]
    [InlineData("""{"type":"response.new_thing.happened","output_index":0}""", Lifecycle)]
    [InlineData("""{"type":"keepalive","sequence_number":7}""", Lifecycle)]
    [InlineData("""{"type":"response.queued","response":{"id":"x"}}""", Lifecycle)]
    [InlineData("""{"type":"response.new_thing.done","output_index":0}""", Hold)]
    [InlineData("""{"type":"error","code":"server_error","message":"x"}""", Error)]
    [InlineData("""{"type":"response.failed","response":{"error":{"code":"server_error"}}}""", Error)]
    [InlineData("""{"type":"response.cancelled","response":{}}""", Error)]
    [InlineData("""{"type":"response.completed","response":{"status":"failed"}}""", Error)]
    [InlineData("""{"type":"response.completed","response":{"status":"completed","error":{"code":"x"}}}""", Error)]
    [InlineData("""{"error":{"message":"x"}}""", Error)]
    [InlineData("""{"error":"x"}""", Error)]
    [InlineData("""{"delta":"x"}""", Malformed)]
    [InlineData("""{"type":5}""", Malformed)]
    [InlineData("[]", Malformed)]
    [InlineData("Hello", Malformed)]
    [InlineData("""{"type":"response.output_text.delta","delta":"x"} {}""", Malformed)]
    [InlineData("""{"type":"response.output_text.delta","delta":"x\""", Malformed)]
    [InlineData("""{"type":"response.output_text.delta","delta":"x","delta":"y"}""", Malformed)]
    [InlineData("""{"type":"response.completed","type":"response.failed"}""", Malformed)]
    [InlineData("""{"type":"response.output_item.done","output_index":0,"item":{"id":"a","id":"b","type":"message"}}""", Malformed)]
    [InlineData("""{"type":"response.output_item.done","output_index":0}""", Malformed)]
    public void SingleEvent_Means(string data, object meaning)
    {
        using var reader = NewReader();
        reader.Read(Created);
        reader.Read(MessageAdded);

        Assert.Equal((EventMeaning)meaning, reader.Read(data));
    }

    [Fact]
    public void TypeOnTheEventLineOnly_Counts()
    {
        using var reader = NewReader();
        reader.Read(MessageAdded);

        Assert.Equal(Content, reader.Read("""{"output_index":0,"content_index":0,"delta":"x"}""", "response.output_text.delta"));
        Assert.Equal(Error, reader.Read("""{"message":"x"}""", "error"));
    }

    [Theory]
    [InlineData("""{"type":"error","code":"context_length_exceeded"}""", UpstreamComplaint.ContextLengthExceeded)]
    [InlineData("""{"type":"error","error":{"code":"context_length_exceeded"}}""", UpstreamComplaint.ContextLengthExceeded)]
    [InlineData("""{"type":"response.failed","response":{"error":{"code":"context_length_exceeded"}}}""", UpstreamComplaint.ContextLengthExceeded)]
    [InlineData("""{"type":"response.failed","response":{"error":{"code":"invalid_prompt"}}}""", UpstreamComplaint.ContentPolicy)]
    [InlineData("""{"type":"response.failed","response":{"error":{"code":"server_error"}}}""", UpstreamComplaint.Other)]
    [InlineData("""{"type":"error"}""", UpstreamComplaint.Other)]
    public void ErrorEvent_SaysWhatItIsAbout(string data, object complaint)
    {
        using var reader = NewReader();

        Assert.Equal(Error, reader.Read(data));

        Assert.Equal((UpstreamComplaint)complaint, reader.Complaint);
    }

    [Theory]
    [InlineData("""{"type":"response.function_call_arguments.done","output_index":0,"arguments":"{\"a\":"}""")]
    [InlineData("""{"type":"response.output_item.done","output_index":0,"item":{"type":"function_call","name":"f","arguments":"{\"a\":"}}""")]
    [InlineData("""{"type":"response.completed","response":{"status":"completed","output":[{"type":"function_call","name":"f","arguments":"{\"a\":"}]}}""")]
    [InlineData("""{"type":"response.incomplete","response":{"status":"incomplete","output":[]}}""")]
    public void EndOfACallWhoseArgumentsAreCut_IsBrokenAndChangesNothing(string end)
    {
        using var reader = NewReader();
        reader.Read(Created);
        reader.Read(CallAdded);
        reader.Read("""{"type":"response.function_call_arguments.delta","output_index":0,"delta":"{\"a\":"}""");

        Assert.Equal(BrokenToolCall, reader.Read(end));

        Assert.False(reader.IsFinished);
        Assert.Equal(DeliveredKind.ToolCallInFlight, reader.Delivered);
        Assert.Equal("{\"a\":", Text(reader.Ledger.Items[0].Input.Span));
        Assert.True(reader.CanSplice);
    }

    [Theory]
    [InlineData("""{"type":"response.output_item.done","output_index":0,"item":{"type":"message","content":[{"\ud800":1,"type":"output_text","text":"a"}]}}""")]
    [InlineData("""{"type":"response.output_item.added","output_index":1,"item":{"type":"message","content":[{"\ud800":1,"type":"output_text","text":"a"}]}}""")]
    [InlineData("""{"type":"response.content_part.added","output_index":0,"content_index":0,"part":{"type":"output_text","text":"","x":{"\udc00":1}}}""")]
    public void NameOfHalfASurrogatePair_IsMalformedAndChangesNothing(string data)
    {
        using var reader = NewReader();
        reader.Read(Created);
        reader.Read("""{"type":"response.output_item.added","sequence_number":3,"output_index":0,"item":{"id":"msg","type":"message","content":[]}}""");
        var (kept, items) = (reader.KeptBytes, reader.Ledger.Items.Count);

        Assert.Equal(Malformed, reader.Read(data));

        Assert.Equal((kept, items, false), (reader.KeptBytes, reader.Ledger.Items.Count, reader.Ledger.Holding));
    }

    [Fact]
    public void PieceOfArgumentsBehindTheirEnd_IsAContradiction()
    {
        using var reader = NewReader();
        reader.Read(Created);
        reader.Read(CallAdded);
        reader.Read("""{"type":"response.function_call_arguments.delta","output_index":0,"delta":"{}"}""");
        reader.Read("""{"type":"response.function_call_arguments.done","output_index":0,"arguments":"{}"}""");

        Assert.Equal(Contradiction, reader.Read("""{"type":"response.function_call_arguments.delta","output_index":0,"delta":":"}"""));

        Assert.True(reader.CanSplice);
        Assert.Equal("{}", Text(reader.Ledger.Items[0].Input.Span));
    }

    [Fact]
    public void ArgumentsThatComeOnlyWithTheirEnd_AreContent()
    {
        using var reader = NewReader();
        reader.Read(Created);
        Assert.Equal(Lifecycle, reader.Read(CallAdded));

        Assert.Equal(Content | Hold, reader.Read("""{"type":"response.function_call_arguments.done","output_index":0,"arguments":"{\"a\":1}"}"""));

        Assert.Equal("{\"a\":1}", Text(reader.Ledger.Items[0].Input.Span));
        reader.DropHeld();
        Assert.Equal(DeliveredKind.Nothing, reader.Delivered);
        Assert.Equal(0, reader.Ledger.Items[0].Input.Length);
    }

    [Fact]
    public void HeldEvents_AreTakenBackWhenTheyWereNotDelivered()
    {
        using var reader = NewReader();
        reader.Read(Created);
        reader.Read(MessageAdded);
        reader.Read(Hello);
        var number = reader.Ledger.Sequence;
        reader.Read(HelloDone);
        reader.Read("""{"type":"response.output_item.done","output_index":0,"item":{"id":"msg_1","type":"message","content":[{"type":"output_text","text":"Hello"}]}}""");
        Assert.True(reader.Ledger.Items[0].Done);

        reader.DropHeld();

        var item = reader.Ledger.Items[0];
        Assert.False(item.Done);
        Assert.False(item.Parts[0].TextDone);
        Assert.Equal("Hello", Text(item.Parts[0].Text.Span));
        Assert.Equal(number, reader.Ledger.Sequence);
        Assert.True(reader.CanSplice);
    }

    [Theory]
    [InlineData("")]
    [InlineData("""{"type":"keepalive","sequence_number":7}""")]
    [InlineData("""{"type":"response.in_progress","response":{"id":"resp_1"}}""")]
    [InlineData("""{"type":"response.new_thing.happened"}""")]
    [InlineData("""{"type":"response.new_thing.happened","output_index":0}""")]
    public void QuietEventBetweenAnItemsEndAndTheResponses_WaitsToo(string data)
    {
        using var reader = NewReader();
        reader.Read(Created);
        reader.Read(MessageAdded);
        reader.Read(Hello);
        reader.Read("""{"type":"response.output_item.done","output_index":0,"item":{"id":"msg_1","type":"message","content":[{"type":"output_text","text":"Hello"}]}}""");

        Assert.Equal(Hold, reader.Read(data));

        Assert.Equal(Finish, reader.Read(Completed));
        Assert.False(reader.Ledger.Holding);
    }

    [Fact]
    public void ProgressOfAnItemThatGoesOn_DoesNotWait()
    {
        using var reader = NewReader();
        reader.Read(Created);
        reader.Read("""{"type":"response.output_item.added","output_index":0,"item":{"id":"mcp_1","type":"mcp_call","arguments":""}}""");
        Assert.Equal(Hold, reader.Read("""{"type":"response.mcp_call_arguments.done","output_index":0,"arguments":"{}"}"""));

        Assert.Equal(Lifecycle, reader.Read("""{"type":"response.mcp_call.in_progress","output_index":0}"""));
        Assert.False(reader.Ledger.Holding);
    }

    [Fact]
    public void AfterTheEnd_OnlyTheEndMarkerAndCommentsPass()
    {
        using var reader = NewReader();
        reader.Read(MessageAdded);
        reader.Read(Hello);
        Assert.Equal(Finish, reader.Read(Completed));

        Assert.Equal(Malformed, reader.Read(Hello));
        Assert.Equal(Malformed, reader.Read("""{"type":"response.failed","response":{}}"""));
        Assert.Equal(Lifecycle, reader.Read(""));
        Assert.Equal(Done, reader.Read("[DONE]"));
        Assert.True(reader.IsFinished);
        Assert.True(reader.IsDone);
    }

    [Theory]
    [InlineData(TerminalProfile.Auto, true, false)]
    [InlineData(TerminalProfile.FinishReason, true, false)]
    [InlineData(TerminalProfile.Done, false, true)]
    [InlineData(TerminalProfile.Either, true, true)]
    public void Terminal_FollowsTheClustersProfile(TerminalProfile profile, bool afterCompleted, bool afterMarkerAlone)
    {
        using var withCompleted = NewReader(terminal: profile);
        withCompleted.Read(MessageAdded);
        withCompleted.Read(Hello);
        withCompleted.Read(Completed);
        using var withMarker = NewReader(terminal: profile);
        withMarker.Read(MessageAdded);
        withMarker.Read(Hello);
        withMarker.Read("[DONE]");

        Assert.Equal(afterCompleted, withCompleted.IsFinished);
        Assert.Equal(afterMarkerAlone, withMarker.IsFinished);
    }

    [Theory]
    [InlineData("""{"type":"response.output_text.delta","output_index":3,"content_index":0,"delta":"x"}""")]
    [InlineData("""{"type":"response.output_text.delta","delta":"x"}""")]
    [InlineData("""{"type":"response.output_text.delta","output_index":0,"content_index":0,"delta":{"text":"x"}}""")]
    [InlineData("""{"type":"response.output_text.delta","output_index":0,"content_index":0,"delta":"\ud83d"}""")]
    [InlineData("""{"type":"response.summary_of_something.delta","output_index":0,"delta":"x"}""")]
    [InlineData("""{"type":"response.output_text.done","output_index":0,"content_index":0,"text":"other"}""")]
    [InlineData("""{"type":"response.output_item.added","output_index":1,"item":{"id":"ws","type":"web_search_call"}}""")]
    [InlineData("""{"type":"response.output_item.added","output_index":0,"item":{"id":"again","type":"message"}}""")]
    public void WhatCannotBeCompared_CannotBeSpliced(string data)
    {
        using var reader = NewReader();
        reader.Read(Created);
        reader.Read(MessageAdded);
        reader.Read(Hello);
        Assert.True(reader.CanSplice);

        reader.Read(data);

        Assert.False(reader.CanSplice);
    }

    [Fact]
    public void ServerToolThatIsWhole_CanBeKept()
    {
        using var reader = NewReader();
        reader.Read(Created);
        reader.Read("""{"type":"response.output_item.added","output_index":0,"item":{"id":"ws","type":"web_search_call"}}""");
        Assert.False(reader.CanSplice);
        Assert.Equal(DeliveredKind.ToolCallInFlight, reader.Delivered);

        reader.Read("""{"type":"response.output_item.done","output_index":0,"item":{"id":"ws","type":"web_search_call","status":"completed"}}""");

        Assert.True(reader.CanSplice);
        Assert.Equal(DeliveredKind.ToolCallComplete, reader.Delivered);
    }

    [Fact]
    public void MoreThanIsKept_GoesOnButCannotBeSpliced()
    {
        using var reader = NewReader(maxDeliveredBytes: 400);
        reader.Read(Created);
        reader.Read(MessageAdded);

        for (var i = 0; i < 200; i++)
        {
            Assert.Equal(Content, reader.Read(Hello));
        }

        Assert.False(reader.CanSplice);
        Assert.True(reader.Ledger.Items[0].Parts[0].Text.Length <= 400);
        Assert.Equal(Finish, reader.Read(Completed));
    }

    [Fact]
    public void TextOfAWholeItem_IsKeptOnce()
    {
        var word = new string('x', 1000);
        using var reader = NewReader(maxDeliveredBytes: 20_000);
        reader.Read(Created);
        for (var i = 0; i < 8; i++)
        {
            reader.Read($$$"""{"type":"response.output_item.added","output_index":{{{i}}},"item":{"id":"m{{{i}}}","type":"message","content":[]}}""");
            reader.Read($$$"""{"type":"response.output_text.delta","output_index":{{{i}}},"content_index":0,"delta":"{{{word}}}"}""");
            reader.Read($$$"""{"type":"response.output_item.done","output_index":{{{i}}},"item":{"id":"m{{{i}}}","type":"message","content":[{"type":"output_text","text":"{{{word}}}"}]}}""");
        }

        Assert.True(reader.CanSplice);
    }

    [Fact]
    public void BadEvents_LeaveTheLedgerAsItWas()
    {
        using var reader = NewReader();
        reader.Read(Created);
        reader.Read(MessageAdded);
        reader.Read(Hello);
        var number = reader.Ledger.Sequence;

        reader.Read("""{"type":"response.output_text.delta","output_index":0,"content_index":0,"delta":"x","sequence_number":99,"delta":"y"}""");
        reader.Read("""{"type":"error","sequence_number":99}""");

        Assert.Equal("Hello", Text(reader.Ledger.Items[0].Parts[0].Text.Span));
        Assert.Equal(number, reader.Ledger.Sequence);
        Assert.True(reader.CanSplice);
    }

    [Fact]
    public void OrdinaryTextEvents_AllocateNothing()
    {
        using var reader = NewReader(maxDeliveredBytes: 4096);
        reader.Read(Created);
        reader.Read(MessageAdded);
        var raw = """
            event: response.output_text.delta
            data: {"type":"response.output_text.delta","sequence_number":4,"item_id":"msg_1","output_index":0,"content_index":0,"delta":"Hello","logprobs":[],"obfuscation":"jsHiuh8bUGx"}


            """u8.ToArray();
        Run(2000);

        Assert.Equal(0, Allocated.Least(() => Run(10_000)));

        void Run(int count)
        {
            for (var i = 0; i < count; i++)
            {
                var data = raw.AsSpan(raw.AsSpan().IndexOf("data: "u8) + 6).TrimEnd((byte)'\n');
                if (reader.Read(new StreamEvent(raw, "response.output_text.delta"u8, data, true)) != Content)
                {
                    throw new InvalidOperationException();
                }
            }
        }
    }
}
