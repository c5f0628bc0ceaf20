using System.Buffers;
using System.Text;
using System.Text.Json.Nodes;
using ProxyGateway.StreamingFallback.ChatFormats;
using Xunit;

namespace ProxyGateway.Tests.ChatFormats.AnthropicMessages;

/// <summary>Streams made of a whole answer, where nothing was delivered.</summary>
public sealed class AnthropicMessagesMadeStreamTests
{
    [Fact]
    public void EveryKindOfBlock_IsToldAsTheApiTellsIt()
    {
        var stream = Made(Wire.Answer("""
            {"type":"thinking","thinking":"hm","signature":"c2ln"},
            {"type":"redacted_thinking","data":"eA=="},
            {"type":"compaction","content":"so far","encrypted_content":"e"},
            {"type":"text","text":"Hello","citations":[{"type":"char_location","cited_text":"x"}]},
            {"type":"tool_use","id":"toolu_1","name":"look_up","input":{ "city" : "Paris" }},
            {"type":"web_search_tool_result","tool_use_id":"srv","content":[]}
            """, "tool_use"));
        Assert.Equal(
            """
            event: message_start
            data: {"type":"message_start","message":{"id":"msg_replay","type":"message","role":"assistant","model":"claude-b","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":12,"cache_read_input_tokens":3,"output_tokens":0}}}

            event: content_block_start
            data: {"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":""}}

            event: content_block_delta
            data: {"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"hm"}}

            event: content_block_delta
            data: {"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"c2ln"}}

            event: content_block_stop
            data: {"type":"content_block_stop","index":0}

            event: content_block_start
            data: {"type":"content_block_start","index":1,"content_block":{"type":"redacted_thinking","data":"eA=="}}

            event: content_block_stop
            data: {"type":"content_block_stop","index":1}

            event: content_block_start
            data: {"type":"content_block_start","index":2,"content_block":{"type":"compaction","content":null,"encrypted_content":null}}

            event: content_block_delta
            data: {"type":"content_block_delta","index":2,"delta":{"type":"compaction_delta","content":"so far","encrypted_content":"e"}}

            event: content_block_stop
            data: {"type":"content_block_stop","index":2}

            event: content_block_start
            data: {"type":"content_block_start","index":3,"content_block":{"type":"text","text":"","citations":[]}}

            event: content_block_delta
            data: {"type":"content_block_delta","index":3,"delta":{"type":"text_delta","text":"Hello"}}

            event: content_block_delta
            data: {"type":"content_block_delta","index":3,"delta":{"type":"citations_delta","citation":{"type":"char_location","cited_text":"x"}}}

            event: content_block_stop
            data: {"type":"content_block_stop","index":3}

            event: content_block_start
            data: {"type":"content_block_start","index":4,"content_block":{"type":"tool_use","id":"toolu_1","name":"look_up","input":{}}}

            event: content_block_delta
            data: {"type":"content_block_delta","index":4,"delta":{"type":"input_json_delta","partial_json":"{ \"city\" : \"Paris\" }"}}

            event: content_block_stop
            data: {"type":"content_block_stop","index":4}

            event: content_block_start
            data: {"type":"content_block_start","index":5,"content_block":{"type":"web_search_tool_result","tool_use_id":"srv","content":[]}}

            event: content_block_stop
            data: {"type":"content_block_stop","index":5}

            event: message_delta
            data: {"type":"message_delta","delta":{"stop_reason":"tool_use","stop_sequence":null},"usage":{"input_tokens":12,"cache_read_input_tokens":3,"output_tokens":7}}

            event: message_stop
            data: {"type":"message_stop"}


            """,
            Encoding.UTF8.GetString(stream));
    }

    [Fact]
    public void EveryFixtureAnswer_IsReadBackAsItself()
    {
        foreach (var (_, _, answer) in FixtureStreams.All)
        {
            var message = ClientMessage.Read(Made(answer));
            Assert.True(message.Complete);
            Assert.True(JsonNode.DeepEquals(JsonNode.Parse(answer)!["content"], message.Content));
        }
    }

    [Fact]
    public void MadeStream_IsHealthyForTheGuardItself()
    {
        foreach (var (_, _, answer) in FixtureStreams.All)
        {
            var made = Made(answer);
            Assert.Equal(made, GuardedStream.Run(made).Client);
        }
    }

    [Fact]
    public void LongText_ComesInPiecesThatCutNoScalar()
    {
        var text = string.Concat(Enumerable.Repeat("Überlänge🌍", 200)) + " " + string.Concat(Enumerable.Repeat("kurz ", 300));
        var made = Made(Wire.Answer($$"""{"type":"text","text":"{{text}}"}"""));
        var message = ClientMessage.Read(made);
        Assert.Equal(text, (string?)message.Content[0]!["text"]);
        Assert.True(Encoding.UTF8.GetString(made).Split("text_delta").Length > 10);
    }

    [Theory]
    [InlineData("refusal")]
    [InlineData("max_tokens")]
    [InlineData("pause_turn")]
    [InlineData("model_context_window_exceeded")]
    public void AnyStopReason_IsTheAnswer(string reason)
    {
        var message = ClientMessage.Read(Made(Wire.Answer("", reason)));
        Assert.True(message.Complete);
        Assert.Equal(reason, message.StopReason);
    }

    [Fact]
    public void EndMembers_StandAtTheEnd()
    {
        var stream = Encoding.UTF8.GetString(Made(Wire.Utf8("""
            {"id":"m","type":"message","role":"assistant","model":"c","content":[],"stop_reason":"refusal","stop_sequence":null,"stop_details":{"type":"refusal"},
             "container":{"id":"c1"},"context_management":{"applied_edits":[]},"usage":{"input_tokens":1,"output_tokens":2,"server_tool_use":{"web_search_requests":1}}}
            """)));
        var lines = stream.Split('\n').Where(l => l.StartsWith("data:", StringComparison.Ordinal)).ToArray();
        Assert.Equal("""data: {"type":"message_start","message":{"id":"m","type":"message","role":"assistant","model":"c","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":1,"output_tokens":0}}}""", lines[0]);
        Assert.Equal("""data: {"type":"message_delta","delta":{"stop_reason":"refusal","stop_sequence":null,"stop_details":{"type":"refusal"},"container":{"id":"c1"}},"usage":{"input_tokens":1,"output_tokens":2,"server_tool_use":{"web_search_requests":1}},"context_management":{"applied_edits":[]}}""", lines[1]);
    }

    [Fact]
    public void AnswerOfASparseServer_IsMadeWhole()
    {
        var made = Encoding.UTF8.GetString(Made(Wire.Utf8("""{"content":[{"type":"tool_use","name":"f","input":{}}],"stop_reason":"tool_use"}""")));
        Assert.Contains("\"message\":{\"id\":\"msg_gateway\",\"type\":\"message\",\"role\":\"assistant\",\"model\":\"claude\",\"content\":[]", made, StringComparison.Ordinal);
        Assert.Contains("\"id\":\"toolu_gateway_0\"", made, StringComparison.Ordinal);
        Assert.True(ClientMessage.Read(Encoding.UTF8.GetBytes(made)).Complete);
    }

    private static byte[] Made(byte[] answer)
    {
        var output = new ArrayBufferWriter<byte>();
        Assert.Equal(AnswerVerdict.Usable, GuardedStream.Format.Continue(GuardedStream.Request, null, answer, output));
        return output.WrittenSpan.ToArray();
    }
}
