using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Time.Testing;
using ProxyGateway.StreamingFallback.LoadBalancing;
using Xunit;
using Yarp.ReverseProxy.Model;
using Load = ProxyGateway.StreamingFallback.LoadBalancing.FirstContentEwmaPolicy.Load;

namespace ProxyGateway.Tests.LoadBalancing;

public sealed class FirstContentEwmaTests
{
    private readonly FakeTimeProvider _time = new();

    public static TheoryData<string, int> Choices => new()
    {
        { "1/0 0.5/0", 1 },
        { "0.5/0 1/0", 0 },
        { "1/0 0.5/3", 0 }, // Twice as quick, but four times the queue.
        { "?/0 0.1/0", 0 }, // Nobody knows it: it is tried.
        { "?/1 0.1/0", 1 }, // It is being tried.
        { "?/1 ?/2", 0 },
        { "0/5 0/2", 1 },
    };

    [Theory]
    [MemberData(nameof(Choices))]
    public void Loads_Choice(string loads, int expected)
    {
        var parsed = loads.Split(' ').Select(l => l.Split('/')).Select(l => new Load(
            l[0] == "?" ? null : double.Parse(l[0], System.Globalization.CultureInfo.InvariantCulture), int.Parse(l[1], System.Globalization.CultureInfo.InvariantCulture))).ToArray();
        for (var start = 0; start < parsed.Length; start++)
        {
            Assert.Equal(expected, FirstContentEwmaPolicy.Pick(parsed, start));
        }
    }

    [Fact]
    public void Equals_AreChosenInTurnOfTheStart()
    {
        Load[] equal = [new(1, 0), new(1, 0), new(1, 0)];

        Assert.Equal([0, 1, 2], Enumerable.Range(0, 3).Select(start => FirstContentEwmaPolicy.Pick(equal, start)));
    }

    [Theory]
    [InlineData(2, 2)]
    [InlineData(0.01, 0.5)]
    public void AtLeastSample_RaisesAndNeverLowers(double sample, double expected)
    {
        var latency = new FirstContentLatency();
        latency.Observe(TimeSpan.FromSeconds(0.5), _time);

        latency.ObserveAtLeast(TimeSpan.FromSeconds(sample), _time);

        Assert.Equal(expected, latency.Current(_time)!.Value, 3);
    }

    [Fact]
    public void SlowSample_CountsAtOnceAndFadesWithTime()
    {
        var latency = new FirstContentLatency();
        latency.Observe(TimeSpan.FromSeconds(0.1), _time);
        latency.Observe(TimeSpan.FromSeconds(5), _time);
        Assert.Equal(5, latency.Current(_time)!.Value, 3);

        latency.Observe(TimeSpan.FromSeconds(0.1), _time);
        Assert.Equal(5, latency.Current(_time)!.Value, 3);
        _time.Advance(TimeSpan.FromSeconds(10));
        latency.Observe(TimeSpan.FromSeconds(0.1), _time);

        Assert.InRange(latency.Current(_time)!.Value, 1.8, 2.0);
    }

    [Fact]
    public void SlowDestination_IsLeftAloneAndTriedAgainAfterAWhile()
    {
        var (slow, quick) = (new DestinationState("slow"), new DestinationState("quick"));
        var policy = new FirstContentEwmaPolicy(_time);
        FirstContentLatency.Of(slow).Observe(TimeSpan.FromSeconds(10), _time);
        Assert.All(Enumerable.Range(0, 20), _ => Assert.Same(quick, PickAndServe()));

        // The quick one goes on being observed, the slow one's value fades.
        for (var i = 0; i < 60; i++)
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            FirstContentLatency.Of(quick).Observe(TimeSpan.FromSeconds(0.5), _time);
        }

        Assert.Same(slow, policy.PickDestination(new DefaultHttpContext(), null!, [slow, quick]));

        DestinationState? PickAndServe()
        {
            var picked = policy.PickDestination(new DefaultHttpContext(), null!, [slow, quick]);
            FirstContentLatency.Of(picked!).Observe(TimeSpan.FromSeconds(0.5), _time);
            return picked;
        }
    }

    [Fact]
    public void NothingAvailable_NothingChosen()
    {
        Assert.Null(new FirstContentEwmaPolicy(_time).PickDestination(new DefaultHttpContext(), null!, []));
    }
}
