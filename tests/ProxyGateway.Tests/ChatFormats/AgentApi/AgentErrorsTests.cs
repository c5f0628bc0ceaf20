using System.Buffers;
using System.Text;
using ProxyGateway.StreamingFallback.ChatFormats;
using ProxyGateway.StreamingFallback.ChatFormats.AgentApi;
using Xunit;

namespace ProxyGateway.Tests.ChatFormats.AgentApi;

public sealed class AgentErrorsTests
{
    private static readonly GatewayError Error = new(502, "upstream_unreachable", "The upstream could not be reached.");

    [Fact]
    public void Problem_SaysInDetailWhatAgentapisPageShows()
    {
        var output = new ArrayBufferWriter<byte>();
        AgentErrors.WriteProblem(Error, output);

        Assert.Equal(
            """{"type":"about:blank","title":"upstream_unreachable","status":502,"detail":"The upstream could not be reached.","code":"upstream_unreachable"}""",
            Encoding.UTF8.GetString(output.WrittenSpan));
    }

    [Fact]
    public void Event_IsAnAgentErrorAsAgentapiSendsThem()
    {
        var output = new ArrayBufferWriter<byte>();
        AgentErrors.WriteEvent(Error, new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.FromHours(1)), output);

        Assert.Equal(
            "event: agent_error\ndata: {\"message\":\"The upstream could not be reached.\",\"level\":\"error\",\"time\":\"2026-01-02T02:04:05.0000000Z\",\"code\":\"upstream_unreachable\"}\n\n",
            Encoding.UTF8.GetString(output.WrittenSpan));
    }
}
