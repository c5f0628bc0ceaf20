using System.Buffers;
using System.Text;
using ProxyGateway.StreamingFallback.ChatFormats;
using Xunit;

namespace ProxyGateway.Tests.ChatFormats.AnthropicMessages;

/// <summary>Errors the gateway writes and reads, and its heartbeat.</summary>
public sealed class AnthropicErrorTests
{
    [Theory]
    [InlineData(400, "invalid_request_error")]
    [InlineData(401, "authentication_error")]
    [InlineData(403, "permission_error")]
    [InlineData(404, "not_found_error")]
    [InlineData(413, "request_too_large")]
    [InlineData(422, "invalid_request_error")]
    [InlineData(429, "rate_limit_error")]
    [InlineData(500, "api_error")]
    [InlineData(502, "api_error")]
    [InlineData(503, "overloaded_error")]
    [InlineData(504, "timeout_error")]
    [InlineData(529, "overloaded_error")]
    public void ErrorBody_HasTheTypeOfItsStatus(int status, string type)
    {
        var error = new GatewayError(status, "upstream_error", "It failed.");
        Assert.Equal($$$"""{"type":"error","error":{"type":"{{{type}}}","message":"It failed."}}""", Written(o => GuardedStream.Format.WriteErrorBody(error, null, o)));
    }

    [Fact]
    public void ErrorEvent_IsNamed()
    {
        var error = new GatewayError(502, "upstream_truncated", "upstream failed mid-stream");
        Assert.Equal(
            "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"api_error\",\"message\":\"upstream failed mid-stream\"}}\n\n",
            Written(o => GuardedStream.Format.WriteErrorEvent(error, null, null, o)));
    }

    [Fact]
    public void Heartbeat_IsAPing()
    {
        Assert.Equal("event: ping\ndata: {\"type\":\"ping\"}\n\n", Written(o => GuardedStream.Format.WriteHeartbeat(null, o)));
    }

    [Theory]
    [InlineData("""{"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: 208310 tokens > 200000 maximum"}}""", UpstreamComplaint.ContextLengthExceeded)]
    [InlineData("""{"type":"error","error":{"type":"invalid_request_error","message":"input length and `max_tokens` exceed context limit: 188240 + 21333 > 200000"}}""", UpstreamComplaint.ContextLengthExceeded)]
    [InlineData("""{"error":{"message":"This model's maximum context length is 8192 tokens"}}""", UpstreamComplaint.ContextLengthExceeded)]
    [InlineData("""{"type":"error","error":{"type":"invalid_request_error","message":"Output blocked by content filtering policy"}}""", UpstreamComplaint.ContentPolicy)]
    [InlineData("""{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"},"request_id":"req_1"}""", UpstreamComplaint.Other)]
    [InlineData("""{"type":"error"}""", UpstreamComplaint.Other)]
    [InlineData("""{"error":"prompt is too long"}""", UpstreamComplaint.ContextLengthExceeded)]
    [InlineData("""{"type":"message","content":[]}""", UpstreamComplaint.None)]
    [InlineData("""{"error":null}""", UpstreamComplaint.None)]
    [InlineData("[]", UpstreamComplaint.None)]
    [InlineData("<html>", UpstreamComplaint.None)]
    [InlineData("", UpstreamComplaint.None)]
    internal void ErrorBody_IsRead(string body, UpstreamComplaint complaint)
    {
        Assert.Equal(complaint, GuardedStream.Format.ReadErrorBody(Wire.Utf8(body)));
    }

    private static string Written(Action<IBufferWriter<byte>> write)
    {
        var output = new ArrayBufferWriter<byte>();
        write(output);
        return Encoding.UTF8.GetString(output.WrittenSpan);
    }
}
