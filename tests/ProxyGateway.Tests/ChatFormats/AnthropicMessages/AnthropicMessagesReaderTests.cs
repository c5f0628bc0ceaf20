using ProxyGateway.StreamingFallback.Buffers;
using ProxyGateway.StreamingFallback.ChatFormats;
using ProxyGateway.StreamingFallback.ChatFormats.AnthropicMessages;
using ProxyGateway.StreamingFallback.Configuration;
using ProxyGateway.StreamingFallback.Sse;
using Xunit;

namespace ProxyGateway.Tests.ChatFormats.AnthropicMessages;

/// <summary>What each event means, given those before it.</summary>
public sealed class AnthropicMessagesReaderTests
{
    private const string Thinking = """{"type":"thinking","thinking":"","signature":""}""";

    public static TheoryData<string, string, string, string> Meanings => new()
    {
        // situation, before, event, meaning
        { "comment", "", ": hi\n\n", nameof(EventMeaning.Lifecycle) },
        { "event line only", "", "event: ping\n\n", nameof(EventMeaning.Lifecycle) },
        { "empty data", "", "data:\n\n", nameof(EventMeaning.Lifecycle) },
        { "ping first", "", Wire.Ping, nameof(EventMeaning.Lifecycle) },
        { "start", "", Wire.MessageStart, nameof(EventMeaning.Lifecycle) },
        { "second start", Wire.MessageStart, Wire.MessageStart, nameof(EventMeaning.Contradiction) },
        { "start without message", "", Wire.Event("""{"type":"message_start"}"""), nameof(EventMeaning.Malformed) },
        { "block before start", "", Wire.StartText(0), nameof(EventMeaning.Contradiction) },
        { "empty text block", Wire.MessageStart, Wire.StartText(0), nameof(EventMeaning.Lifecycle) },
        { "text block with text", Wire.MessageStart, Wire.Start(0, """{"type":"text","text":"a"}"""), nameof(EventMeaning.Content) },
        { "text block with citation", Wire.MessageStart, Wire.Start(0, """{"type":"text","text":"","citations":[{}]}"""), nameof(EventMeaning.Content) },
        { "thinking block", Wire.MessageStart, Wire.Start(0, Thinking), nameof(EventMeaning.Lifecycle) },
        { "redacted thinking", Wire.MessageStart, Wire.Start(0, """{"type":"redacted_thinking","data":"x"}"""), nameof(EventMeaning.Content) },
        { "tool block", Wire.MessageStart, Wire.StartTool(0), nameof(EventMeaning.Content) },
        { "tool block without input", Wire.MessageStart, Wire.Start(0, """{"type":"tool_use","id":"a","name":"b"}"""), nameof(EventMeaning.Content) },
        { "tool block without name", Wire.MessageStart, Wire.Start(0, """{"type":"tool_use","id":"a"}"""), nameof(EventMeaning.Malformed) },
        { "server result", Wire.MessageStart, Wire.Start(0, """{"type":"web_search_tool_result","tool_use_id":"a","content":[]}"""), nameof(EventMeaning.Content) },
        { "compaction", Wire.MessageStart, Wire.Start(0, """{"type":"compaction","content":null}"""), nameof(EventMeaning.Lifecycle) },
        { "block of a type not known", Wire.MessageStart, Wire.Start(0, """{"type":"hologram"}"""), nameof(EventMeaning.Content) },
        { "block without type", Wire.MessageStart, Wire.Start(0, "{}"), nameof(EventMeaning.Malformed) },
        { "block without index", Wire.MessageStart, Wire.Event("""{"type":"content_block_start","content_block":{"type":"text","text":""}}"""), nameof(EventMeaning.Malformed) },
        { "gap", Wire.MessageStart, Wire.StartText(1), nameof(EventMeaning.Contradiction) },
        { "index again", Wire.MessageStart + Wire.StartText(0) + Wire.Stop(0), Wire.StartText(0), nameof(EventMeaning.Contradiction) },
        { "text", Wire.MessageStart + Wire.StartText(0), Wire.Text(0, "a"), nameof(EventMeaning.Content) },
        { "empty text", Wire.MessageStart + Wire.StartText(0), Wire.Text(0, ""), nameof(EventMeaning.Lifecycle) },
        { "text member that is no string", Wire.MessageStart + Wire.StartText(0), Wire.Delta(0, """{"type":"text_delta","text":1}"""), nameof(EventMeaning.Malformed) },
        { "text twice", Wire.MessageStart + Wire.StartText(0), Wire.Delta(0, """{"type":"text_delta","text":"a","text":"b"}"""), nameof(EventMeaning.Malformed) },
        { "delta twice", Wire.MessageStart + Wire.StartText(0), "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{},\"delta\":{}}\n\n", nameof(EventMeaning.Malformed) },
        { "text after its block", Wire.MessageStart + Wire.StartText(0) + Wire.Stop(0), Wire.Text(0, "a"), nameof(EventMeaning.Contradiction) },
        { "text of no block", Wire.MessageStart, Wire.Text(0, "a"), nameof(EventMeaning.Contradiction) },
        { "text into a tool", Wire.MessageStart + Wire.StartTool(0), Wire.Text(0, "a"), nameof(EventMeaning.Contradiction) },
        { "thinking into text", Wire.MessageStart + Wire.StartText(0), Wire.Thinking(0, "a"), nameof(EventMeaning.Contradiction) },
        { "input into text", Wire.MessageStart + Wire.StartText(0), Wire.Input(0, "{"), nameof(EventMeaning.Contradiction) },
        { "input", Wire.MessageStart + Wire.StartTool(0), Wire.Input(0, "{"), nameof(EventMeaning.Content) },
        { "empty input", Wire.MessageStart + Wire.StartTool(0), Wire.Input(0, ""), nameof(EventMeaning.Lifecycle) },
        { "input of a server tool", Wire.MessageStart + Wire.StartTool(0, type: "server_tool_use"), Wire.Input(0, "{"), nameof(EventMeaning.Content) },
        { "thinking", Wire.MessageStart + Wire.Start(0, Thinking), Wire.Thinking(0, "a"), nameof(EventMeaning.Content) },
        { "signature", Wire.MessageStart + Wire.Start(0, Thinking), Wire.Signature(0, "a"), nameof(EventMeaning.Content) },
        { "citation", Wire.MessageStart + Wire.StartText(0), Wire.Delta(0, """{"type":"citations_delta","citation":{"type":"x"}}"""), nameof(EventMeaning.Content) },
        { "compaction text", Wire.MessageStart + Wire.Start(0, """{"type":"compaction"}"""), Wire.Delta(0, """{"type":"compaction_delta","content":"a"}"""), nameof(EventMeaning.Content) },
        { "failed compaction", Wire.MessageStart + Wire.Start(0, """{"type":"compaction"}"""), Wire.Delta(0, """{"type":"compaction_delta","content":null}"""), nameof(EventMeaning.Lifecycle) },
        { "delta of a type not known", Wire.MessageStart + Wire.StartText(0), Wire.Delta(0, """{"type":"smell_delta"}"""), nameof(EventMeaning.Content) },
        { "stop of no block", Wire.MessageStart, Wire.Stop(0), nameof(EventMeaning.Contradiction) },
        { "stop of the next block", Wire.MessageStart + Wire.StartText(0) + Wire.Stop(0), Wire.Stop(1), nameof(EventMeaning.Contradiction) },
        { "stop", Wire.MessageStart + Wire.StartText(0), Wire.Stop(0), nameof(EventMeaning.Lifecycle) },
        { "second stop", Wire.MessageStart + Wire.StartText(0) + Wire.Stop(0), Wire.Stop(0), nameof(EventMeaning.Lifecycle) },
        { "stop in half a call", Wire.MessageStart + Wire.StartTool(0) + Wire.Input(0, "{\"a\":"), Wire.Stop(0), nameof(EventMeaning.BrokenToolCall) },
        { "stop of a whole call", Wire.MessageStart + Wire.StartTool(0) + Wire.Input(0, "{}"), Wire.Stop(0), nameof(EventMeaning.Lifecycle) },
        { "stop of a call without input", Wire.MessageStart + Wire.StartTool(0), Wire.Stop(0), nameof(EventMeaning.Lifecycle) },
        { "stop reason", Wire.MessageStart + Wire.StartText(0) + Wire.Stop(0), Wire.MessageDelta(), nameof(EventMeaning.Finish) },
        { "stop reason of an answer without content", Wire.MessageStart, Wire.MessageDelta("refusal"), nameof(EventMeaning.Finish) },
        { "stop reason over an open text", Wire.MessageStart + Wire.StartText(0), Wire.MessageDelta(), nameof(EventMeaning.Contradiction) },
        { "stop reason over an open call", Wire.MessageStart + Wire.StartTool(0), Wire.MessageDelta("max_tokens"), nameof(EventMeaning.BrokenToolCall) },
        { "stop reason null", Wire.MessageStart, Wire.Event("""{"type":"message_delta","delta":{"stop_reason":null},"usage":{"output_tokens":1}}"""), nameof(EventMeaning.Lifecycle) },
        { "stop reason error", Wire.MessageStart, Wire.MessageDelta("error"), nameof(EventMeaning.Error) },
        { "second stop reason", Wire.MessageStart + Wire.MessageDelta(), Wire.MessageDelta(), nameof(EventMeaning.Contradiction) },
        { "block after the stop reason", Wire.MessageStart + Wire.MessageDelta(), Wire.StartText(0), nameof(EventMeaning.Contradiction) },
        { "message stop", Wire.MessageStart + Wire.MessageDelta(), Wire.MessageStop, nameof(EventMeaning.Done) },
        { "message stop without type", Wire.MessageStart + Wire.MessageDelta(), "event: message_stop\ndata: {}\n\n", nameof(EventMeaning.Done) },
        { "message stop over an open text", Wire.MessageStart + Wire.StartText(0), Wire.MessageStop, nameof(EventMeaning.Contradiction) },
        { "message stop over an open call", Wire.MessageStart + Wire.StartTool(0), Wire.MessageStop, nameof(EventMeaning.BrokenToolCall) },
        { "error", Wire.MessageStart, Wire.Event("""{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"""), nameof(EventMeaning.Error) },
        { "error without event line", "", "data: {\"type\":\"error\",\"error\":{}}\n\n", nameof(EventMeaning.Error) },
        { "error without type", "", "data: {\"error\":{\"message\":\"x\"}}\n\n", nameof(EventMeaning.Error) },
        { "error that is no JSON", "", "event: error\ndata: boom\n\n", nameof(EventMeaning.Error) },
        { "text without event line", Wire.MessageStart + Wire.StartText(0), "data: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"a\"}}\n\n", nameof(EventMeaning.Contradiction) },
        { "text under another event line", Wire.MessageStart + Wire.StartText(0), "event: ping\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"a\"}}\n\n", nameof(EventMeaning.Contradiction) },
        { "text without type", Wire.MessageStart + Wire.StartText(0), "event: content_block_delta\ndata: {\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"a\"}}\n\n", nameof(EventMeaning.Contradiction) },
        { "ping without event line", "", "data: {\"type\":\"ping\"}\n\n", nameof(EventMeaning.Lifecycle) },
        { "event not known", "", Wire.Event("""{"type":"vendor_hint","text":"x"}"""), nameof(EventMeaning.Lifecycle) },
        { "escaped type", Wire.MessageStart + Wire.StartText(0), "event: content_block_stop\ndata: {\"type\":\"content\\u005fblock_stop\",\"index\":0}\n\n", nameof(EventMeaning.Lifecycle) },
        { "no JSON", "", "event: message_start\ndata: {\"type\":\n\n", nameof(EventMeaning.Malformed) },
        { "no object", "", "data: [1]\n\n", nameof(EventMeaning.Malformed) },
        { "another format's end", Wire.MessageStart, "data: [DONE]\n\n", nameof(EventMeaning.Malformed) },
        { "two objects", "", "data: {\"type\":\"ping\"}{}\n\n", nameof(EventMeaning.Malformed) },
    };

    [Theory]
    [MemberData(nameof(Meanings))]
    public void Event_Means(string situation, string before, string e, string meaning)
    {
        Assert.NotEmpty(situation);
        using var reader = new AnthropicMessagesReader(1 << 20, TerminalProfile.Auto);
        ReadAll(reader, before);
        Assert.Equal(meaning, Read(reader, e).ToString());
    }

    [Theory]
    [InlineData("")]
    [InlineData("text")]
    [InlineData("tool")]
    public void DroppedEvent_LeavesNoTrace(string open)
    {
        using var reader = new AnthropicMessagesReader(1 << 20, TerminalProfile.Auto);
        ReadAll(reader, Wire.MessageStart + (open == "text" ? Wire.StartText(0) + Wire.Text(0, "kept") : open == "tool" ? Wire.StartTool(0) + Wire.Input(0, "{\"a\":") : ""));
        var before = Describe(reader);
        string[] dropped =
        [
            Wire.MessageStart, Wire.StartText(7), Wire.Text(7, "x"), Wire.Event("""{"type":"error","error":{}}"""), "data: {\n\n",
            Wire.Delta(0, """{"type":"text_delta","text":"a","text":"b"}"""), Wire.Start(reader.Message.NextIndex, """{"type":"text","text":"a","text":"b"}"""),
            Wire.Start(reader.Message.NextIndex, """{"type":"compaction","content":"a","content":"b"}"""), Wire.Start(reader.Message.NextIndex, """{"type":"tool_use","id":"a"}"""),
            Wire.Start(reader.Message.NextIndex, """{"type":"text","text":"x","citations":[],"citations":[]}"""), Wire.MessageDelta("error"),
        ];
        foreach (var e in dropped)
        {
            Assert.True(Read(reader, e) >= EventMeaning.Error, e);
            Assert.Equal(before, Describe(reader));
        }
    }

    [Theory]
    [InlineData("", DeliveredKind.Nothing)]
    [InlineData("t", DeliveredKind.Text)]
    [InlineData("T", DeliveredKind.ToolCallInFlight)]
    [InlineData("T.", DeliveredKind.ToolCallComplete)]
    [InlineData("S", DeliveredKind.Text)]
    [InlineData("S.", DeliveredKind.Text)]
    internal void Delivered_GoesByTheClientsOwnCalls(string blocks, DeliveredKind kind)
    {
        using var reader = new AnthropicMessagesReader(1 << 20, TerminalProfile.Auto);
        ReadAll(reader, Wire.MessageStart + blocks switch
        {
            "t" => Wire.StartText(0) + Wire.Text(0, "a"),
            "T" => Wire.StartTool(0),
            "T." => Wire.StartTool(0) + Wire.Stop(0),
            "S" => Wire.StartTool(0, type: "server_tool_use"),
            "S." => Wire.StartTool(0, type: "server_tool_use") + Wire.Stop(0),
            _ => Wire.StartText(0),
        });
        Assert.Equal(kind, reader.Delivered);
    }

    [Fact]
    public void MoreThanIsKept_GoesOnButCannotBeSpliced()
    {
        using var reader = new AnthropicMessagesReader(300, TerminalProfile.Auto);
        ReadAll(reader, Wire.MessageStart + Wire.StartText(0) + Wire.Text(0, "short"));
        Assert.True(reader.CanSplice);
        Assert.Equal(EventMeaning.Content, Read(reader, Wire.Text(0, new string('x', 300))));
        Assert.False(reader.CanSplice);
        ReadAll(reader, Wire.Stop(0) + Wire.StartTool(1) + Wire.Input(1, "{\"a\":1}"));
        Assert.Equal(DeliveredKind.ToolCallInFlight, reader.Delivered);
        ReadAll(reader, Wire.Stop(1));
        Assert.Equal(DeliveredKind.ToolCallComplete, reader.Delivered);
        Assert.Empty(reader.Message.Blocks);
        Assert.Equal(EventMeaning.Finish, Read(reader, Wire.MessageDelta()));
    }

    [Fact]
    public void BlocksWithoutText_AreBoundedToo()
    {
        using var reader = new AnthropicMessagesReader(1000, TerminalProfile.Auto);
        ReadAll(reader, Wire.MessageStart);
        for (var i = 0; i < 100; i++)
        {
            ReadAll(reader, Wire.StartText(i) + Wire.Stop(i));
        }

        Assert.False(reader.CanSplice);
        Assert.Empty(reader.Message.Blocks);
        Assert.Equal(100, reader.Message.NextIndex);
    }

    [Fact]
    public void SixtyFourOpenBlocks_AreTheMost()
    {
        using var reader = new AnthropicMessagesReader(1 << 20, TerminalProfile.Auto);
        ReadAll(reader, Wire.MessageStart + string.Concat(Enumerable.Range(0, 64).Select(Wire.StartText)));
        Assert.Equal(EventMeaning.Contradiction, Read(reader, Wire.StartText(64)));
    }

    [Fact]
    public void ThinkingThatLacksItsSignature_CannotBeSpliced()
    {
        using var reader = new AnthropicMessagesReader(1 << 20, TerminalProfile.Auto);
        ReadAll(reader, Wire.MessageStart + Wire.Start(0, """{"type":"thinking","thinking":"","signature":""}""") + Wire.Thinking(0, "Let me see"));
        Assert.False(reader.CanSplice);
        ReadAll(reader, Wire.Signature(0, "sig"));
        Assert.True(reader.CanSplice);
        ReadAll(reader, Wire.Stop(0) + Wire.StartText(1) + Wire.Text(1, "a"));
        Assert.True(reader.CanSplice);
    }

    [Theory]
    [InlineData("""{"type":"text_delta","text":"\ud83d"}""")]
    [InlineData("""{"type":"smell_delta","smell":"rose"}""")]
    public void WhatCannotBeCompared_CannotBeSpliced(string delta)
    {
        using var reader = new AnthropicMessagesReader(1 << 20, TerminalProfile.Auto);
        ReadAll(reader, Wire.MessageStart + Wire.StartText(0) + $"event: content_block_delta\ndata: {{\"type\":\"content_block_delta\",\"index\":0,\"delta\":{delta}}}\n\n");
        Assert.False(reader.CanSplice);
        Assert.Equal(DeliveredKind.Text, reader.Delivered);
    }

    [Theory]
    [InlineData("prompt is too long: 208310 tokens > 200000 maximum", UpstreamComplaint.ContextLengthExceeded)]
    [InlineData("Overloaded", UpstreamComplaint.Other)]
    internal void ErrorEvent_SaysWhatItIsAbout(string message, UpstreamComplaint complaint)
    {
        using var reader = new AnthropicMessagesReader(1 << 20, TerminalProfile.Auto);
        Read(reader, Wire.Event($$$"""{"type":"error","error":{"type":"invalid_request_error","message":"{{{message}}}"}}"""));
        Assert.Equal(complaint, reader.Complaint);
    }

    private static string Describe(AnthropicMessagesReader reader) => string.Join('|',
        reader.Delivered, reader.CanSplice, reader.IsFinished, reader.IsDone, reader.Message.NextIndex, reader.Message.OpenCount,
        string.Join(',', reader.Message.Blocks.Select(b => $"{b.Index}{b.Kind}{b.Closed}{System.Text.Encoding.UTF8.GetString(b.TextOrEmpty)}{b.Citations.Count}")));

    private static void ReadAll(AnthropicMessagesReader reader, string events)
    {
        foreach (var e in events.Split("\n\n", StringSplitOptions.RemoveEmptyEntries))
        {
            Assert.True(Read(reader, e + "\n\n") < EventMeaning.Error, e);
        }
    }

    private static EventMeaning Read(AnthropicMessagesReader reader, string e)
    {
        using var scratch = new PooledBuffer();
        return reader.Read(EventParser.Parse(StreamFraming.ServerSentEvents, Wire.Utf8(e), false, scratch));
    }
}
