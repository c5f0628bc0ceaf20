using System.Text;
using ProxyGateway.StreamingFallback.Buffers;
using ProxyGateway.StreamingFallback.ChatFormats;
using ProxyGateway.StreamingFallback.ChatFormats.OpenAIChat;
using ProxyGateway.TestKit.Data;
using Xunit;

namespace ProxyGateway.Tests.ChatFormats.OpenAIChat;

public sealed class OpenAIChatRequestTests
{
    private static readonly OpenAIChatFormat Format = new();

    [Theory]
    [InlineData("{\"model\":\"m\",\"stream\":true}", "{\"model\":\"m\",\"stream\":false}")]
    [InlineData("{ \"stream\" : true , \"stream_options\" : {\"include_usage\":true} , \"a\" : 1 }", "{ \"stream\" : false ,  \"a\" : 1 }")]
    [InlineData("{\"stream\":true,\"a\":[{\"stream\":true}],\"stream_options\":{\"include_usage\":true}}", "{\"stream\":false,\"a\":[{\"stream\":true}]}")]
    [InlineData("{\"stream_options\":null,\"stream\":true}", "{\"stream\":false}")]
    [InlineData("{\"str\\u0065am\":true,\"x\":1e400}", "{\"str\\u0065am\":false,\"x\":1e400}")]
    public void Replay_ChangesStreamAndItsOptions_AndNoOtherByte(string body, string expected) =>
        Assert.Equal(expected, Rewrite(body, AttemptMode.NonStreaming, null));

    [Theory]
    [InlineData("{\"model\":\"m\",\"stream\":true}", "{\"model\":\"droid \\\"x\\\"\",\"stream\":true}")]
    [InlineData("{\"stream\":true}", "{\"model\":\"droid \\\"x\\\"\",\"stream\":true}")]
    [InlineData("{ }", "{\"model\":\"droid \\\"x\\\"\" }")]
    public void ModelOverride_IsWritten(string body, string expected) => Assert.Equal(expected, Rewrite(body, AttemptMode.Streaming, "droid \"x\""));

    [Theory]
    [InlineData("{\"stream_options\":{},\"stream\":true}", "{\"model\":\"m\",\"stream\":false}")]
    [InlineData("{\"stream_options\":{},\"stream\":true,\"a\":1}", "{\"model\":\"m\",\"stream\":false,\"a\":1}")]
    [InlineData("{\"stream\":true,\"stream_options\":{}}", "{\"model\":\"m\",\"stream\":false}")]
    [InlineData("{ \"stream_options\":{},\"stream\":true}", "{\"model\":\"m\", \"stream\":false}")]
    public void ReplayWithModel_WhereNoneWasNamed_ComesOutAsJson(string body, string expected) =>
        Assert.Equal(expected, Rewrite(body, AttemptMode.NonStreaming, "m"));

    [Fact]
    public void NothingToChange_LeavesTheClientsBytes() => Assert.Null(Rewrite("{\"stream\":true}", AttemptMode.Streaming, null));

    [Theory]
    [InlineData("")]
    [InlineData("nope")]
    [InlineData("[]")]
    [InlineData("{\"stream\":true")]
    [InlineData("{\"stream\":true} x")]
    [InlineData("{\"stream\":\"yes\"}")]
    [InlineData("{\"stream\":true,\"stream\":false}")]
    [InlineData("{\"model\":\"a\",\"model\":\"b\"}")]
    [InlineData("{\"n\":1,\"n\":2}")]
    [InlineData("{\"\\ud800\":1,\"stream\":true}")]
    public void Unreadable_IsRefused_WithoutRepeatingIt(string body)
    {
        var problem = Format.ReadRequest(Encoding.UTF8.GetBytes(body), "/", out _);
        Assert.NotNull(problem);
        Assert.DoesNotContain("nope", problem);
    }

    [Theory]
    [InlineData("{\"stream\":true,\"stream\":true}", "`stream` stands twice")]
    [InlineData("{\"model\":\"a\",\"model\":\"a\"}", "`model` stands twice")]
    [InlineData("{\"stream_options\":{},\"stream_options\":{}}", "`stream_options` stands twice")]
    [InlineData("{\"n\":1,\"n\":1}", "`n` stands twice")]
    public void MemberThatStandsTwice_IsNamed(string body, string said) =>
        Assert.StartsWith(said, Format.ReadRequest(Encoding.UTF8.GetBytes(body), "/", out _), StringComparison.Ordinal);

    [Theory]
    [InlineData("{\"stream\":true}")]
    [InlineData("{\"stream\":true,\"stream_options\":null}")]
    [InlineData("{\"stream\":true,\"stream_options\":{\"include_usage\":false}}")]
    [InlineData("{\"stream\":true,\"stream_options\":{\"x\":true}}")]
    public void UsageThatIsNotAskedFor_IsNotIncluded(string body)
    {
        Assert.Null(Format.ReadRequest(Encoding.UTF8.GetBytes(body), "/", out var request));
        Assert.False(request.IncludeUsage);
    }

    [Fact]
    public void DeepNesting_IsRefused() => Assert.NotNull(Format.ReadRequest(Encoding.UTF8.GetBytes("{\"a\":" + new string('[', 100_000)), "/", out _));

    [Fact]
    public void Request_IsRead()
    {
        Assert.Null(Format.ReadRequest("{\"model\":\"a,b\",\"n\":3,\"stream\":true,\"stream_options\":{\"x\":{},\"include_usage\":true}}"u8, "/", out var request));
        Assert.Equal(("a,b", 3, true, true), (request.Model, request.ChoiceCount, request.Streaming, request.IncludeUsage));
    }

    [Fact]
    public void ParsingSuite_IsJudgedAsItAsks()
    {
        if (SharedData.Require() is not { } folder)
        {
            Assert.Skip("the shared data is not here");
            return;
        }

        var cases = JsonCases.Load(folder);
        foreach (var c in cases.Where(c => c.Verdict != JsonVerdict.Either))
        {
            byte[] body = [.. "{\"stream\":true,\"x\":"u8, .. c.Bytes, .. "}"u8];
            var problem = Format.ReadRequest(body, "/", out var request);
            // 64 levels are enough for a chat; the suite's deepest valid documents stay below.
            if (c.Verdict == JsonVerdict.MustParse)
            {
                Assert.True(problem is null, $"{c.Name}: {problem}");
                Assert.True(request.Streaming);
            }
        }
    }

    private static string? Rewrite(string body, AttemptMode mode, string? model)
    {
        var bytes = Encoding.UTF8.GetBytes(body);
        Assert.Null(Format.ReadRequest(bytes, "/", out var request));
        using var output = new PooledBuffer();
        return Format.WriteAttemptBody(request, bytes, mode, model, output) ? Encoding.UTF8.GetString(output.Span) : null;
    }
}
