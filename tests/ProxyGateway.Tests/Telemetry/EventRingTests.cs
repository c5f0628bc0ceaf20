using ProxyGateway.StreamingFallback.Telemetry;
using Xunit;

namespace ProxyGateway.Tests.Telemetry;

public sealed class EventRingTests
{
    [Fact]
    public void MoreThanItHolds_KeepsTheNewest()
    {
        var ring = new EventRing<string>(3);
        Assert.Empty(ring.Latest());
        foreach (var item in (string[])["a", "b", "c", "d", "e"])
        {
            ring.Add(item);
        }

        Assert.Equal(["e", "d", "c"], ring.Latest());
    }

    [Fact]
    public void Merge_TakesThePlaceOfTheNewestOnly()
    {
        var ring = new EventRing<string>(3);
        ring.Add("a", (_, _) => throw new InvalidOperationException("There is nothing to merge with."));
        ring.Add("b", (_, _) => null);

        Assert.Equal("b+c", ring.Add("c", (newest, next) => $"{newest}+{next}"));
        Assert.Equal(["b+c", "a"], ring.Latest());
    }
}
