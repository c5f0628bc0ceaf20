using ProxyGateway.StreamingFallback.ChatFormats;
using ProxyGateway.StreamingFallback.ChatFormats.OpenAIResponses;
using ProxyGateway.StreamingFallback.Configuration;
using Xunit;

namespace ProxyGateway.Tests.Configuration;

public sealed class StatefulReplayTests
{
    [Theory]
    [InlineData(ReplayPolicy.Safe, true, true, ReplayPolicy.Safe)]
    [InlineData(ReplayPolicy.Safe, false, true, ReplayPolicy.Never)]
    [InlineData(ReplayPolicy.BeforeContent, true, true, ReplayPolicy.Never)]
    [InlineData(ReplayPolicy.Never, true, true, ReplayPolicy.Never)]
    [InlineData(ReplayPolicy.Safe, false, false, ReplayPolicy.Safe)]
    [InlineData(ReplayPolicy.BeforeContent, true, false, ReplayPolicy.BeforeContent)]
    public void StatefulRequest_IsReplayedOnlyWhereTheRouteItselfSaysSafe(ReplayPolicy replay, bool named, bool stateful, ReplayPolicy expected)
    {
        var route = new RouteSettings
        {
            RouteId = "r",
            Format = new OpenAIResponsesFormat(),
            RecoveryEnabled = true,
            Replay = replay,
            NamesReplay = named,
            ResponseFormat = ReplayResponseFormat.Stream,
            OnMidStreamFailure = MidStreamFailureAction.Splice,
            ModelAliases = System.Collections.Frozen.FrozenDictionary<string, string>.Empty,
            Models = [],
            UnknownModel = default,
            Cluster = null!,
            Limits = null!,
        };

        Assert.Equal(expected, route.ReplayOf(new ChatRequest { Streaming = true, Stateful = stateful }));
    }
}
