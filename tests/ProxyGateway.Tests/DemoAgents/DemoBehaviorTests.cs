using ProxyGateway.DemoAgents;
using Xunit;

namespace ProxyGateway.Tests.DemoAgents;

public sealed class DemoBehaviorTests
{
    [Theory]
    [InlineData("demo-good", DemoBehaviorKind.Good, null)]
    [InlineData("demo-reset-12", DemoBehaviorKind.Reset, 12)]
    [InlineData("demo-refuse-0", DemoBehaviorKind.Refuse, 0)]
    [InlineData("openai,demo-clean-3", DemoBehaviorKind.Clean, 3)]
    [InlineData("openai/demo-half", DemoBehaviorKind.Half, null)]
    public void ModelName_ChoosesKindAndNumber(string model, DemoBehaviorKind kind, int? number)
    {
        Assert.True(DemoBehavior.TryFromModel(model, out var behavior));
        Assert.Equal(new DemoBehavior(kind, number), behavior);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("demo-")]
    [InlineData("demo-resets")]
    [InlineData("demo-reset-")]
    [InlineData("demo-reset--1")]
    [InlineData("demo-reset-x")]
    [InlineData("demo-Reset")]
    [InlineData("reset-12")]
    public void OtherModelName_ChoosesNothing(string? model) => Assert.False(DemoBehavior.TryFromModel(model, out _));

    [Fact]
    public void EveryKind_NameRoundTrips()
    {
        foreach (var kind in Enum.GetValues<DemoBehaviorKind>())
        {
            var behavior = new DemoBehavior(kind, 5);

            Assert.True(DemoBehavior.TryParse(behavior.ToString(), out var parsed));
            Assert.Equal(behavior, parsed);
        }
    }
}
