using System.Text;
using ProxyGateway.StreamingFallback.Buffers;
using ProxyGateway.StreamingFallback.ChatFormats;
using Xunit;
using static ProxyGateway.Tests.ChatFormats.OpenAIResponses.ResponsesFixtures;

namespace ProxyGateway.Tests.ChatFormats.OpenAIResponses;

public sealed class OpenAIResponsesRequestTests
{
    [Theory]
    [InlineData("""{"model":"m","stream":true}""", true)]
    [InlineData("""{"model":"m","stream":false}""", false)]
    [InlineData("""{"model":"m","stream":null}""", false)]
    [InlineData("""{"model":"m"}""", false)]
    [InlineData("""{"model":"m","str\u0065am":true}""", true)]
    public void Stream_IsWhatTheBodySays(string body, bool streaming)
    {
        var request = ReadRequest(body);

        Assert.Equal(streaming, request.Streaming);
        Assert.Equal("m", request.Model);
    }

    [Theory]
    [InlineData("""{"store":false}""", false)]
    [InlineData("""{"store":true}""", true)]
    [InlineData("""{}""", true)]
    [InlineData("""{"store":null}""", true)]
    [InlineData("""{"store":false,"previous_response_id":"resp_1"}""", true)]
    [InlineData("""{"store":false,"previous_response_id":null}""", false)]
    [InlineData("""{"store":false,"background":true}""", true)]
    [InlineData("""{"store":false,"background":false}""", false)]
    [InlineData("""{"store":false,"conversation":"conv_1"}""", true)]
    [InlineData("""{"store":false,"conversation":{"id":"conv_1"}}""", true)]
    [InlineData("""{"store":false,"conversation":null}""", false)]
    public void Request_IsStatefulUnlessItSaysThatNothingIsKept(string body, bool stateful)
    {
        Assert.Equal(stateful, ReadRequest(body).Stateful);
    }

    [Theory]
    [InlineData("model", "\"m\"")]
    [InlineData("stream", "true")]
    [InlineData("stream_options", "{}")]
    [InlineData("store", "false")]
    [InlineData("background", "false")]
    [InlineData("previous_response_id", "null")]
    [InlineData("conversation", "null")]
    public void MemberThatStandsTwice_IsRefusedByName(string name, string value)
    {
        var problem = Format.ReadRequest(Encoding.UTF8.GetBytes($$"""{"{{name}}":{{value}},"{{name}}":{{value}}}"""), "/v1/responses", out _);

        Assert.Equal($"`{name}` stands twice in the request body.", problem);
    }

    [Theory]
    [InlineData("[]")]
    [InlineData("{")]
    [InlineData("""{"stream":"yes"}""")]
    [InlineData("""{"stream":true} x""")]
    public void UnreadableBody_IsRefused(string body)
    {
        Assert.NotNull(Format.ReadRequest(Encoding.UTF8.GetBytes(body), "/v1/responses", out _));
    }

    [Theory]
    [InlineData(
        """{ "model" : "m", "stream" : true , "stream_options":{"include_obfuscation":false},  "input":"\u00e9 x" }""",
        """{ "model" : "m", "stream" : false ,   "input":"\u00e9 x" }""", null)]
    [InlineData(
        """{"input":[1,2.50,1e3],"stream":true,"store":false,"stream_options":{}}""",
        """{"input":[1,2.50,1e3],"stream":false,"store":false}""", null)]
    [InlineData(
        """{"stream":true,"model":"m","store":true}""",
        """{"stream":false,"model":"other \"one\"","store":true}""", "other \"one\"")]
    [InlineData("""{"stream":true,"prompt":{"id":"p"}}""", """{"model":"x","stream":false,"prompt":{"id":"p"}}""", "x")]
    public void NonStreamingAttempt_ChangesTheseMembersAndNoOtherByte(string body, string expected, string? model)
    {
        using var output = new PooledBuffer();

        Assert.True(Format.WriteAttemptBody(ReadRequest(body), Encoding.UTF8.GetBytes(body), AttemptMode.NonStreaming, model, output));

        Assert.Equal(expected, Text(output.Span));
    }

    [Theory]
    [InlineData(AttemptMode.Streaming, """{"stream":true,"model":"m"}""")]
    [InlineData(AttemptMode.NonStreaming, """{"stream":false,"model":"m"}""")]
    public void AttemptThatNeedsNoChange_UsesTheClientsOwnBytes(object mode, string body)
    {
        using var output = new PooledBuffer();

        Assert.False(Format.WriteAttemptBody(ReadRequest(body), Encoding.UTF8.GetBytes(body), (AttemptMode)mode, null, output));

        Assert.Equal(0, output.Length);
    }
}
