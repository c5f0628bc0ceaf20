using ProxyGateway.StreamingFallback.AgentApi;
using ProxyGateway.StreamingFallback.Configuration;
using Xunit;

namespace ProxyGateway.Tests.AgentApi;

public sealed class ReconnectPauseTests
{
    private static readonly ReconnectSettings Settings = ReconnectSettings.From(new ReconnectOptions());

    [Theory]
    [InlineData(0, null, 250)]
    [InlineData(1, null, 500)]
    [InlineData(4, null, 4000)]
    [InlineData(5, null, 5000)]
    [InlineData(int.MaxValue, null, 5000)]
    [InlineData(0, 1000, 1000)]
    [InlineData(3, 1000, 2000)]
    [InlineData(0, 60_000, 5000)]
    public void Pause_DoublesUpToTheLimitAndHeedsTheUpstreamsWish(int failures, int? wanted, int milliseconds)
    {
        TimeSpan? wish = wanted is { } w ? TimeSpan.FromMilliseconds(w) : null;

        Assert.Equal(TimeSpan.FromMilliseconds(milliseconds), ReconnectPause.For(Settings, failures, wish, random: 1));
        Assert.Equal(TimeSpan.FromMilliseconds(milliseconds) / 2, ReconnectPause.For(Settings, failures, wish, random: 0));
    }
}
