using Microsoft.Extensions.Time.Testing;
using ProxyGateway.Backplane;
using ProxyGateway.Configuration;
using ProxyGateway.StreamingFallback.CircuitBreaking;
using Xunit;

namespace ProxyGateway.Tests.Backplane;

public sealed class BackplaneRoundTests : IDisposable
{
    private readonly FakeTimeProvider _time = new(DateTimeOffset.FromUnixTimeSeconds(1_000_000 * 60));
    private readonly MemoryStore _store = new();
    private readonly Replica _a;
    private readonly Replica _b;

    public BackplaneRoundTests() => (_a, _b) = (new Replica(_time), new Replica(_time));

    private IEnumerable<string> Told => _store.Values.Keys.Where(k => k.Contains(":open:", StringComparison.Ordinal));

    private string UsedKey => $"proxygateway:used:alice:{_time.GetUtcNow().ToUnixTimeSeconds() / 60}";

    public void Dispose()
    {
        _a.Dispose();
        _b.Dispose();
    }

    [Fact]
    public async Task OpenHere_TheOtherProbesFirst()
    {
        await TellAsync();
        _a.Fail();
        await TellAsync();

        Assert.True(_b.Enter()!.IsProbe);
        Assert.Null(_b.Enter());
        Assert.Equal(CircuitStatus.Closed, _b.Cell.Status);
        Assert.Equal("proxygateway:open:agent:cluster", Assert.Single(Told));
        await TellAsync();
        Assert.Equal((1, 0, 0, 1), (Hints(_a, "published"), Hints(_a, "received"), Hints(_b, "published"), Hints(_b, "received")));
    }

    /// <summary>What is written lapses with what it says: a replica that dies or is closed by hand leaves nothing behind.</summary>
    [Fact]
    public async Task Hint_LapsesAtTheLatestWithItsBreak()
    {
        _a.Fail();
        await TellAsync();
        var key = Assert.Single(Told);
        Assert.Equal(Replica.Settings.Lease, _store.Lifetimes[key]);

        _time.Advance(TimeSpan.FromSeconds(29));
        await TellAsync();
        Assert.Equal(TimeSpan.FromSeconds(1), _store.Lifetimes[key]);
        Assert.True(CircuitHint.TryParse(_store.Values[key], out var hint));
        Assert.Equal(TimeSpan.FromSeconds(1), hint.Remaining);
        Assert.NotEqual(TimeSpan.Zero, _b.Cell.Snapshot().Hinted);
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.False(_b.Enter()!.IsProbe);
    }

    [Fact]
    public async Task HintNoLongerRead_LapsesAfterThreeRounds()
    {
        _a.Fail();
        await TellAsync();
        _time.Advance(Replica.Settings.Lease);
        Assert.False(_b.Enter()!.IsProbe);
        Assert.False(_b.Enter()!.IsProbe);
    }

    [Fact]
    public async Task HintThatOpensTheOther_IsNoEchoAtTheFirst()
    {
        _a.Fail();
        await TellAsync();
        _b.Enter()!.OnFailure();
        Assert.Equal(CircuitStatus.Open, _b.Cell.Status);

        // The first's break ends before the other's, and its probe is answered.
        _time.Advance(TimeSpan.FromSeconds(30));
        _b.Cell.Close();
        _b.Fail();
        _a.Enter()!.OnSuccess();
        await TellAsync();

        Assert.False(_a.Enter()!.IsProbe);
        Assert.Equal(CircuitStatus.Closed, _a.Cell.Status);
    }

    [Fact]
    public async Task IsolatedByHand_IsNotShared()
    {
        _a.Cell.Isolate();
        await TellAsync();
        Assert.Empty(Told);
        Assert.False(_b.Enter()!.IsProbe);
    }

    [Theory]
    [InlineData("garbage")]
    [InlineData("1 0123456789abcdef 999999999999")]
    [InlineData("1 0123456789abcdef 5000 and much more that goes on for longer than anything a replica would ever write")]
    public async Task HintThatNobodyWrote_IsCountedAndIgnored(string value)
    {
        _store.Values["proxygateway:open:agent:cluster"] = value;
        Assert.Equal(StoreOutcome.Invalid, (await _a.RoundAsync(_store)).Outcome);
        Assert.False(_a.Enter()!.IsProbe);
    }

    [Fact]
    public async Task ClusterThatIsNotConfigured_IsNeverAskedAbout()
    {
        _store.Values["proxygateway:open:somebody-elses:cluster"] = "1 0123456789abcdef 5000";
        Assert.Equal(StoreOutcome.Good, (await _a.RoundAsync(_store)).Outcome);
        Assert.Equal([Replica.Cluster], _a.Circuits.All.Keys);
    }

    [Fact]
    public async Task OwnHintReadBack_IsNoHint()
    {
        _a.Fail();
        await _a.RoundAsync(_store);
        _a.Cell.Close();
        await _a.RoundAsync(_store);
        Assert.False(_a.Enter()!.IsProbe);
    }

    [Fact]
    public async Task ClientLimit_HoldsOverBoth()
    {
        await TellAsync();
        Assert.True(_a.MayAsk() && _a.MayAsk() && _a.MayAsk());
        await TellAsync();
        Assert.True(_b.MayAsk() && _b.MayAsk());
        Assert.False(_b.MayAsk());
        await TellAsync();
        Assert.False(_a.MayAsk());
        Assert.Equal("5", _store.Values[UsedKey]);

        // The last minute fades.
        _time.Advance(TimeSpan.FromSeconds(119));
        await TellAsync();
        Assert.True(_b.Clients.Current.Find(Replica.Key)!.Value.Limits.Shared!.Leaves(2, out _));
    }

    [Fact]
    public async Task StoreThatIsSilent_LeavesEveryReplicaItsOwnLimit()
    {
        await TellAsync();
        Assert.True(_a.MayAsk() && _a.MayAsk() && _a.MayAsk() && _a.MayAsk() && _a.MayAsk());
        await TellAsync();
        Assert.False(_b.MayAsk());

        _store.IsSilent = true;
        var round = _b.RoundAsync(_store);
        _time.Advance(Replica.Settings.Lease);
        Assert.Equal(StoreOutcome.TimedOut, (await round).Outcome);
        Assert.True(_b.MayAsk() && _b.MayAsk() && _b.MayAsk() && _b.MayAsk() && _b.MayAsk());
        Assert.False(_b.MayAsk());
    }

    [Theory]
    [InlineData("-3")]
    [InlineData("many")]
    [InlineData("10001")]
    [InlineData("9999999999999999999999")]
    public async Task SumThatCannotBe_IsCountedAndIgnored(string value)
    {
        await TellAsync();
        _store.Values[UsedKey] = value;
        Assert.True(_a.MayAsk());
        _store.Instead = k => k == UsedKey ? new StoreAnswer(StoreOutcome.Good, value) : null;
        Assert.Equal(StoreOutcome.Invalid, (await _a.RoundAsync(_store)).Outcome);
        Assert.True(_a.MayAsk() && _a.MayAsk() && _a.MayAsk() && _a.MayAsk());
        Assert.False(_a.MayAsk());
    }

    [Fact]
    public async Task LostAnswers_RefuseNobody()
    {
        await TellAsync();
        Assert.True(_a.MayAsk() && _a.MayAsk());
        // Counted by the store, but the answer is lost.
        _store.Values[UsedKey] = "2";
        _store.Instead = k => k == UsedKey ? new StoreAnswer(StoreOutcome.TimedOut) : null;
        Assert.Equal(StoreOutcome.TimedOut, (await _a.RoundAsync(_store)).Outcome);
        _store.Instead = _ => null;
        await TellAsync();
        Assert.True(_a.MayAsk() && _a.MayAsk() && _a.MayAsk());
    }

    [Fact]
    public async Task OneBadKey_DoesNotKeepTheOthersFromSharing()
    {
        _store.Instead = k => k.Contains(":used:", StringComparison.Ordinal) ? new StoreAnswer(StoreOutcome.Refused, Code: "OOM") : null;
        _a.Fail();
        Assert.Equal((StoreOutcome.Refused, "OOM"), (await _a.RoundAsync(_store)) is var answer ? (answer.Outcome, answer.Code) : default);
        await _b.RoundAsync(_store);
        Assert.True(_b.Enter()!.IsProbe);
    }

    [Fact]
    public async Task SharingSwitchedOff_OnlySaysThatItIsThere()
    {
        var settings = BackplaneSettings.From(new BackplaneOptions { ConnectionString = "nowhere:1", ShareCircuits = false, ShareClientLimits = false })!;
        _a.Fail();
        await _a.RoundAsync(_store, settings);
        Assert.Equal(1, _store.Commands);
    }

    [Fact]
    public async Task Prefix_SeparatesWhoDoesNotBelongTogether()
    {
        var other = BackplaneSettings.From(new BackplaneOptions { ConnectionString = "nowhere:1", KeyPrefix = "other:" })!;
        _a.Fail();
        await _a.RoundAsync(_store, other);
        await _b.RoundAsync(_store);
        Assert.False(_b.Enter()!.IsProbe);
        Assert.Equal("other:open:agent:cluster", Assert.Single(Told));
    }

    private static long Hints(Replica replica, string direction) => replica.Count($"proxygateway.backplane.hints {direction}");

    private async Task TellAsync()
    {
        foreach (var replica in new[] { _a, _b, _a })
        {
            Assert.Equal(StoreOutcome.Good, (await replica.RoundAsync(_store)).Outcome);
        }
    }
}
