using System.Buffers;
using System.Text;
using ProxyGateway.StreamingFallback.ChatFormats;
using Xunit;

namespace ProxyGateway.Tests.ChatFormats.AnthropicMessages;

/// <summary>What is read of a request, and what an attempt changes in it.</summary>
public sealed class AnthropicRequestTests
{
    [Theory]
    [InlineData("""{"model":"claude","stream":true}""", true, "claude")]
    [InlineData("""{"stream":false,"model":"claude"}""", false, "claude")]
    [InlineData("""{"model":"claude"}""", false, "claude")]
    [InlineData("""{"stream":null}""", false, null)]
    [InlineData("""{"model":7,"stream":true}""", true, null)]
    [InlineData("""{"metadata":{"stream":false,"model":"x"},"stream":true}""", true, null)]
    public void Request_IsRead(string body, bool streaming, string? model)
    {
        var request = GuardedStream.ReadRequest(body);
        Assert.Equal(streaming, request.Streaming);
        Assert.Equal(model, request.Model);
        Assert.False(request.Stateful);
    }

    [Theory]
    [InlineData("", "The request body is not valid JSON")]
    [InlineData("[]", "The request body must be a JSON object.")]
    [InlineData("""{"stream":"yes"}""", "`stream` must be true or false.")]
    [InlineData("""{"stream":true,"stream":false}""", "`stream` stands twice in the request body.")]
    [InlineData("""{"model":"a","mod\u0065l":"b"}""", "`model` stands twice in the request body.")]
    [InlineData("""{"stream":true} x""", "The request body is not valid JSON")]
    public void UnreadableRequest_IsRefused(string body, string problem)
    {
        var said = GuardedStream.Format.ReadRequest(Wire.Utf8(body), "/v1/messages", out _);
        Assert.StartsWith(problem, said, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{ "model" : "claude" , "stream" :  true , "thinking":{"type":"enabled"} }""", null, """{ "model" : "claude" , "stream" :  false , "thinking":{"type":"enabled"} }""")]
    [InlineData("""{"stream":true,"model":"claude"}""", "claude-\"b\"", """{"stream":false,"model":"claude-\"b\""}""")]
    [InlineData("""{"stream":true}""", "b", """{"model":"b","stream":false}""")]
    public void Replay_ChangesNothingButStreamAndModel(string body, string? model, string sent)
    {
        Assert.Equal(sent, Rewrite(body, AttemptMode.NonStreaming, model));
    }

    [Theory]
    [InlineData("""{"stream":true,"model":"a"}""", nameof(AttemptMode.Streaming))]
    [InlineData("""{"stream":false,"model":"a"}""", nameof(AttemptMode.NonStreaming))]
    [InlineData("""{"model":"a"}""", nameof(AttemptMode.NonStreaming))]
    public void BodyThatServes_StaysTheClients(string body, string mode)
    {
        Assert.Null(Rewrite(body, Enum.Parse<AttemptMode>(mode), null));
    }

    private static string? Rewrite(string body, AttemptMode mode, string? model)
    {
        var output = new ArrayBufferWriter<byte>();
        var written = GuardedStream.Format.WriteAttemptBody(GuardedStream.ReadRequest(body), Wire.Utf8(body), mode, model, output);
        Assert.Equal(written, output.WrittenCount > 0);
        return written ? Encoding.UTF8.GetString(output.WrittenSpan) : null;
    }
}
