using System.Text;
using ProxyGateway.StreamingFallback.ChatFormats;
using ProxyGateway.StreamingFallback.ChatFormats.OpenAIChat;
using ProxyGateway.StreamingFallback.ChatFormats.OpenAIResponses;
using Xunit;

namespace ProxyGateway.Tests.ChatFormats.OpenAIChat;

/// <summary>Errors the gateway writes and reads.</summary>
public sealed class OpenAIErrorTests
{
    private static readonly OpenAIChatFormat Format = new();

    [Theory]
    [InlineData("""{"error":{"code":"context_length_exceeded","type":"invalid_request_error","message":"m"}}""", UpstreamComplaint.ContextLengthExceeded)]
    [InlineData("""{"error":{"code":null,"type":"context_length_exceeded","message":"m"}}""", UpstreamComplaint.ContextLengthExceeded)]
    [InlineData("""{"error":{"code":400,"message":"This model's maximum context length is 8192 tokens"}}""", UpstreamComplaint.ContextLengthExceeded)]
    [InlineData("""{"error":{"message":"maximum context length reached"}}""", UpstreamComplaint.ContextLengthExceeded)]
    [InlineData("""{"error":"bad_request","message":"the maximum context length is 8192"}""", UpstreamComplaint.ContextLengthExceeded)]
    [InlineData("""{"error":{"code":"content_policy_violation"}}""", UpstreamComplaint.ContentPolicy)]
    [InlineData("""{"error":{"type":"content_filter"}}""", UpstreamComplaint.ContentPolicy)]
    [InlineData("""{"error":{"code":"invalid_prompt"}}""", UpstreamComplaint.ContentPolicy)]
    [InlineData("""{"error":{"code":"image_content_policy_violation"}}""", UpstreamComplaint.ContentPolicy)]
    [InlineData("""{"error":{"code":"rate_limit_exceeded","message":"slow down"}}""", UpstreamComplaint.Other)]
    [InlineData("""{"error":{}}""", UpstreamComplaint.Other)]
    [InlineData("""{"error":"overloaded"}""", UpstreamComplaint.Other)]
    internal void Error_IsRead(string body, UpstreamComplaint complaint)
    {
        var bytes = Encoding.UTF8.GetBytes(body);
        Assert.Equal(complaint, Format.ReadErrorBody(bytes));

        // The same error as an event of a stream.
        using var reader = new GuardedStream(Format, """{"stream":true}""").NewReader();
        Assert.Equal(EventMeaning.Error, reader.Read(body));
        Assert.Equal(complaint, reader.Complaint);
    }

    [Theory]
    [InlineData("""{"object":"error","code":"context_length_exceeded","message":"m"}""", UpstreamComplaint.ContextLengthExceeded)]
    [InlineData("""{"object":"error","message":"busy"}""", UpstreamComplaint.Other)]
    [InlineData("""{"error":"filtered","code":"content_filter"}""", UpstreamComplaint.ContentPolicy)]
    [InlineData("""{"object":"chat.completion","choices":[]}""", UpstreamComplaint.None)]
    [InlineData("""{"error":null,"message":"maximum context length"}""", UpstreamComplaint.None)]
    [InlineData("""["error"]""", UpstreamComplaint.None)]
    [InlineData("<html>", UpstreamComplaint.None)]
    [InlineData("", UpstreamComplaint.None)]
    internal void ErrorBody_IsRead(string body, UpstreamComplaint complaint) =>
        Assert.Equal(complaint, Format.ReadErrorBody(Encoding.UTF8.GetBytes(body)));

    [Theory]
    [InlineData("""{"code":"context_length_exceeded","type":"x"}""", UpstreamComplaint.ContextLengthExceeded)]
    [InlineData("""{"code":"x","type":"content_filter"}""", UpstreamComplaint.ContentPolicy)]
    [InlineData("""{"message":"the maximum context length is 8192"}""", UpstreamComplaint.ContextLengthExceeded)]
    [InlineData("""{"message":"busy"}""", UpstreamComplaint.Other)]
    internal void ErrorOfTheResponsesApi_IsJudgedAlike(string error, UpstreamComplaint complaint) =>
        Assert.Equal(complaint, new OpenAIResponsesFormat().ReadErrorBody(Encoding.UTF8.GetBytes($$"""{"error":{{error}}}""")));

    [Theory]
    [InlineData(400, "invalid_request_error")]
    [InlineData(499, "invalid_request_error")]
    [InlineData(500, "server_error")]
    [InlineData(503, "server_error")]
    public void ErrorBody_HasTheTypeOfItsStatus(int status, string type) => Assert.Equal(
        $$$"""{"error":{"message":"It failed.","type":"{{{type}}}","param":null,"code":"upstream_error"}}""",
        FormatAsserts.Written(o => Format.WriteErrorBody(new GatewayError(status, "upstream_error", "It failed."), null, o)));

    [Fact]
    public void ChoiceThatFailed_SaysNoMoreThanThat()
    {
        using var reader = new GuardedStream(Format, """{"stream":true}""").NewReader();
        Assert.Equal(EventMeaning.Error, reader.Read("""{"code":"content_filter","choices":[{"index":0,"delta":{},"finish_reason":"error"},{"index":1,"delta":{}},{"index":2,"delta":{},"finish_reason":"error"}]}"""));
        Assert.Equal(UpstreamComplaint.Other, reader.Complaint);
    }
}
