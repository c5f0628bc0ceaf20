using System.Text.Json.Nodes;
using ProxyGateway.StreamingFallback.Buffers;
using ProxyGateway.StreamingFallback.ChatFormats;
using ProxyGateway.StreamingFallback.ChatFormats.OpenAIResponses;
using ProxyGateway.StreamingFallback.Telemetry;
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
    public void HeartbeatAfterTheStreamBroke_IsInProgressAgainWithTheNextNumber()
    {
        using var reader = Broken();

        Assert.Equal(
            """
            event: response.in_progress
            data: {"type":"response.in_progress","sequence_number":6,"response":{"id":"resp_A","object":"response","created_at":5,"status":"in_progress","error":null,"incomplete_details":null,"model":"m","output":[],"tools":[],"usage":null}}


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

        Format.WriteErrorBody(new GatewayError(503, "circuit_open", "No."), output);

        Assert.Equal("""{"error":{"message":"No.","type":"server_error","param":null,"code":"circuit_open"}}""", Text(output.Span));
        Assert.Equal(UpstreamComplaint.Other, Format.ReadErrorBody(output.Span));
        Assert.Equal(UpstreamComplaint.None, Format.ReadErrorBody(Script("text").Answer()));
        Assert.Equal(UpstreamComplaint.ContextLengthExceeded, Format.ReadErrorBody("""{"error":{"code":"context_length_exceeded"}}"""u8));
    }

    private static OpenAIResponsesReader Open()
    {
        var reader = NewReader();
        reader.Read("""{"type":"response.created","sequence_number":2,"response":{"id":"resp_A","created_at":5,"status":"in_progress","model":"m","output":[],"tools":[],"usage":null}}""");
        reader.Read("""{"type":"response.output_item.added","sequence_number":4,"output_index":0,"item":{"id":"msg","type":"message","content":[]}}""");
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
        Format.WriteErrorEvent(error, reader, output);
        return Text(output.Span);
    }

    private static string Beat(ChatStreamReader? reader)
    {
        using var output = new PooledBuffer();
        Format.WriteHeartbeat(reader, output);
        return Text(output.Span);
    }
}
