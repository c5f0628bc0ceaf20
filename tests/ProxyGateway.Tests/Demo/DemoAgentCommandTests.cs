using System.Net;
using ProxyGateway.Demo;
using ProxyGateway.DemoAgents;
using Xunit;

namespace ProxyGateway.Tests.Demo;

public sealed class DemoAgentCommandTests
{
    private static readonly DemoAgentArguments s_usual = new("http://127.0.0.1:3456", "good", "good", 40, TimeSpan.FromMilliseconds(20), false);

    [Fact]
    public void Arguments_BecomeTheAgentsOptions()
    {
        Assert.True(DemoAgentCommand.TryOptions(s_usual with { Listen = "http://0.0.0.0:99", Streaming = "reset-12", NonStreaming = "refuse-5", IgnoreModelNames = true }, out var options, out _));

        Assert.Equal((IPAddress.Any, 99), (options.Address, options.Port));
        Assert.Equal(new DemoBehavior(DemoBehaviorKind.Reset, 12), options.Streaming);
        Assert.Equal(new DemoBehavior(DemoBehaviorKind.Refuse, 5), options.NonStreaming);
        Assert.False(options.ObeyModelNames);
    }

    [Theory]
    [InlineData("https://127.0.0.1:1", "good")]
    [InlineData("http://agent.example:1", "good")]
    [InlineData("3456", "good")]
    [InlineData("http://127.0.0.1:1", "explode")]
    public void WhatCannotBe_IsRefusedWithARemedy(string listen, string streaming)
    {
        Assert.False(DemoAgentCommand.TryOptions(s_usual with { Listen = listen, Streaming = streaming }, out _, out var error));

        Assert.Matches("write http://|reset-N", error);
    }
}
