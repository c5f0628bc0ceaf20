using System.Text.Json.Nodes;
using ProxyGateway.StreamingFallback.Buffers;
using ProxyGateway.StreamingFallback.ChatFormats;
using ProxyGateway.StreamingFallback.ChatFormats.OpenAIResponses;
using Xunit;
using static ProxyGateway.Tests.ChatFormats.OpenAIResponses.ResponsesFixtures;

namespace ProxyGateway.Tests.ChatFormats.OpenAIResponses;

public sealed class OpenAIResponsesEndingTests
{
    private static readonly GatewayError Failure = new(502, "upstream_truncated", "upstream failed mid-stream");

    [Fact]
    public void LoudEnding_IsTheErrorAndThenTheFailedResponse()
    {
        using var reader = Broken();

        Assert.Equal(
            """
            event: error
            data: {"type":"error","sequence_number":6,"code":"server_error","message":"upstream failed mid-stream","param":null,"error":{"type":"server_error","code":"server_error","message":"upstream failed mid-stream","param":null}}

            event: response.failed
            data: {"type":"response.failed","sequence_number":7,"response":{"id":"resp_A","object":"response","created_at":5,"status":"failed","error":{"code":"server_error","message":"upstream failed mid-stream"},"incomplete_details":null,"model":"m","output":[],"tools":[],"usage":null}}


            """,
            Ending(Failure, reader));
    }

    [Theory]
    [InlineData("\"model\":\"\\ude00\"", "\"model\":\"\"")]
    [InlineData("\"model\":\"m\",\"user\":\"\\ude00\"", "\"model\":\"m\"")]
    public void TextThatIsNone_DoesNotKeepTheEndingFromTheClient(string members, string expected)
    {
        using var reader = NewReader();
        reader.Read($$$"""{"type":"response.created","sequence_number":2,"response":{"id":"resp_A","created_at":5,"status":"in_progress",{{{members}}},"output":[]}}""");
        reader.Read("""{"type":"response.output_item.added","sequence_number":3,"output_index":0,"item":{"id":"msg","type":"message","content":[]}}""");
        reader.Read("""{"type":"response.output_text.delta","sequence_number":5,"output_index":0,"content_index":0,"delta":"Hello"}""");
        reader.DropHeld();

        Assert.Contains(expected, Ending(Failure, reader), StringComparison.Ordinal);
    }

    [Fact]
    public void LoudEndingWhereNothingWasDelivered_HasAResponseToo()
    {
        Assert.Equal(
            """
            event: error
            data: {"type":"error","sequence_number":0,"code":"server_error","message":"upstream failed mid-stream","param":null,"error":{"type":"server_error","code":"server_error","message":"upstream failed mid-stream","param":null}}

            event: response.failed
            data: {"type":"response.failed","sequence_number":1,"response":{"id":"resp_gateway","object":"response","created_at":0,"status":"failed","error":{"code":"server_error","message":"upstream failed mid-stream"},"incomplete_details":null,"model":"","output":[]}}


            """,
            Ending(Failure, null));
    }

    [Theory]
    [InlineData(429, "rate_limit_error", "rate_limit_exceeded")]
    [InlineData(400, "invalid_request_error", "invalid_request")]
    [InlineData(503, "server_error", "server_error")]
    public void LoudEnding_HasACodeThatTheApiKnows(int status, string type, string code)
    {
        var error = JsonNode.Parse(Ending(new GatewayError(status, "invalid_request", "x"), null).Split('\n')[1][6..])!;

        Assert.Equal(type, (string?)error["error"]!["type"]);
        Assert.Equal(code, (string?)error["code"]);
    }

    [Fact]
    public void HeartbeatAfterTheStreamBroke_IsADeltaWithoutTextWithTheNextNumber()
    {
        using var reader = Broken();

        Assert.Equal(
            """
            event: response.output_text.delta
            data: {"type":"response.output_text.delta","sequence_number":6,"item_id":"msg","output_index":0,"content_index":0,"delta":"","logprobs":[]}


            """,
            Beat(reader));
        Assert.Contains("\"sequence_number\":7", Beat(reader), StringComparison.Ordinal);
        Assert.Contains("\"sequence_number\":8,", Ending(Failure, reader), StringComparison.Ordinal);
        // A beat that comes while the ending is on its way may not take a number after it.
        Assert.Equal(": keepalive\n", Beat(reader));
    }

    [Fact]
    public void HeartbeatBeforeAnythingWasDelivered_IsAComment()
    {
        using var reader = NewReader();
        reader.Read("""{"type":"response.created","sequence_number":0,"response":{"id":"resp_A"}}""");
        reader.DropHeld();

        Assert.Equal(": keepalive\n", Beat(null));
        Assert.Equal(": keepalive\n", Beat(reader));
    }

    [Theory]
    [InlineData("function_call", "response.function_call_arguments.delta", "\"delta\":\"{\"")]
    [InlineData("custom_tool_call", "response.custom_tool_call_input.delta", "\"delta\":\"*** Begin\"")]
    [InlineData("reasoning", "response.reasoning_summary_text.delta", "\"summary_index\":0,\"delta\":\"Hm\"")]
    public void HeartbeatInAnItem_IsADeltaOfItsKind(string item, string type, string delta)
    {
        using var reader = NewReader();
        reader.Read("""{"type":"response.created","sequence_number":0,"response":{"id":"resp_A"}}""");
        reader.Read($$$"""{"type":"response.output_item.added","sequence_number":1,"output_index":0,"item":{"id":"item_A","type":"{{{item}}}","call_id":"call","name":"f","summary":[]}}""");
        if (item == "reasoning")
        {
            reader.Read("""{"type":"response.reasoning_summary_part.added","sequence_number":2,"output_index":0,"summary_index":0,"part":{"type":"summary_text","text":""}}""");
        }

        reader.Read($$$"""{"type":"{{{type}}}","sequence_number":3,"item_id":"item_A","output_index":0,{{{delta}}}}""");
        reader.DropHeld();

        var beat = Beat(reader);

        Assert.StartsWith($"event: {type}\n", beat, StringComparison.Ordinal);
        var data = JsonNode.Parse(beat.Split('\n')[1][6..])!;
        Assert.Equal((4, "item_A", 0, ""), ((int)data["sequence_number"]!, (string?)data["item_id"], (int)data["output_index"]!, (string?)data["delta"]));
        Assert.Equal(item == "reasoning", data["summary_index"] is not null);
    }

    [Fact]
    public void HeartbeatWhereNothingIsOpen_IsACommentAndTakesNoNumber()
    {
        using var reader = Open();
        reader.Read("""{"type":"response.output_text.done","sequence_number":6,"output_index":0,"content_index":0,"text":"Hello"}""");
        reader.Read("""{"type":"response.content_part.done","sequence_number":7,"output_index":0,"content_index":0,"part":{"type":"output_text","text":"Hello"}}""");
        reader.Read("""{"type":"response.output_item.done","sequence_number":8,"output_index":0,"item":{"id":"msg","type":"message","content":[{"type":"output_text","text":"Hello"}]}}""");
        reader.Read("""{"type":"response.output_item.added","sequence_number":9,"output_index":1,"item":{"id":"msg2","type":"message","content":[]}}""");
        reader.DropHeld();

        Assert.Equal(": keepalive\n", Beat(reader));
        Assert.Contains("\"sequence_number\":10,", Ending(Failure, reader), StringComparison.Ordinal);
    }

    [Fact]
    public void HeartbeatWhileTheUpstreamNumbersItsOwn_IsAComment()
    {
        using var reader = Open();

        Assert.Equal(": keepalive\n", Beat(reader));

        Assert.Equal(5, reader.Ledger.Sequence);
    }

    [Fact]
    public void HeartbeatAfterADivergentReplay_StillHasNumbers()
    {
        using var reader = Broken();
        Assert.Equal(AnswerVerdict.Divergent, Continue(reader, Script("calls").Answer()).Verdict);

        Assert.Contains("\"sequence_number\":6", Beat(reader), StringComparison.Ordinal);
    }

    [Fact]
    public void MissingEnd_IsNothing()
    {
        using var reader = Broken();
        using var output = new PooledBuffer();

        Format.WriteMissingEnd(reader, output);

        Assert.Equal(0, output.Length);
    }

    [Fact]
    public void ErrorBody_IsTheApisOwn()
    {
        using var output = new PooledBuffer();

        Format.WriteErrorBody(new GatewayError(503, "circuit_open", "No."), null, output);

        Assert.Equal("""{"error":{"message":"No.","type":"server_error","param":null,"code":"circuit_open"}}""", Text(output.Span));
        Assert.Equal(UpstreamComplaint.Other, Format.ReadErrorBody(output.Span));
        Assert.Equal(UpstreamComplaint.None, Format.ReadErrorBody(Script("text").Answer()));
        Assert.Equal(UpstreamComplaint.ContextLengthExceeded, Format.ReadErrorBody("""{"error":{"code":"context_length_exceeded"}}"""u8));
    }

    private static OpenAIResponsesReader Open()
    {
        var reader = NewReader();
        reader.Read("""{"type":"response.created","sequence_number":2,"response":{"id":"resp_A","created_at":5,"status":"in_progress","model":"m","output":[],"tools":[],"usage":null}}""");
        reader.Read("""{"type":"response.output_item.added","sequence_number":3,"output_index":0,"item":{"id":"msg","type":"message","content":[]}}""");
        reader.Read("""{"type":"response.content_part.added","output_index":0,"content_index":0,"part":{"type":"output_text","text":""}}""");
        reader.Read("""{"type":"response.output_text.delta","sequence_number":5,"output_index":0,"content_index":0,"delta":"Hello"}""");
        return reader;
    }

    private static OpenAIResponsesReader Broken()
    {
        var reader = Open();
        reader.DropHeld();
        return reader;
    }

    private static string Ending(GatewayError error, ChatStreamReader? reader)
    {
        using var output = new PooledBuffer();
        Format.WriteErrorEvent(error, null, reader, output);
        return Text(output.Span);
    }

    private static string Beat(ChatStreamReader? reader)
    {
        using var output = new PooledBuffer();
        Format.WriteHeartbeat(reader, output);
        return Text(output.Span);
    }
}
