using System.Buffers;
using System.Text;
using ProxyGateway.DemoAgents;
using Xunit;

namespace ProxyGateway.Tests.DemoAgents;

public sealed class DemoRequestTests
{
    [Fact]
    public void WholeRequest_IsRead()
    {
        var request = Read("""
            {"messages":[{"role":"user","content":"first"},{"content":[{"type":"text","text":"la"},{"type":"image_url","image_url":{"url":"x"}},{"type":"text","text":"st "}],"role":"user"},{"role":"assistant","content":"no"}],
             "tools":[{"model":"inner"}],"model":"m","stream":true,"stream_options":{"x":{"include_usage":false},"include_usage":true}}
            """);

        Assert.Equal(new DemoRequest("m", true, true, "last"), request);
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("""{"model":null,"stream":null,"stream_options":null,"messages":null}""")]
    [InlineData("""{"messages":[1,[2],{"role":"user","content":null},{"role":7}],"stream":"true"}""")]
    public void OddRequest_FallsBackToDefaults(string json) => Assert.Equal(new DemoRequest(null, false, false, ""), Read(json));

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("7")]
    [InlineData("{\"model\":")]
    [InlineData("{\"model\":5}")]
    public void NotAnObjectOrMisTyped_IsNull(string json) => Assert.Null(Read(json));

    private static DemoRequest? Read(string json) => DemoRequest.Read(new ReadOnlySequence<byte>(Encoding.UTF8.GetBytes(json)));
}
