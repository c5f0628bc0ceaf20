using CsCheck;
using Microsoft.Extensions.Time.Testing;
using ProxyGateway.Clients;
using Xunit;

namespace ProxyGateway.Tests.Clients;

public sealed class SharedUsageTests
{
    private static readonly TimeSpan Believed = TimeSpan.FromSeconds(3);

    private readonly FakeTimeProvider _time = new(DateTimeOffset.FromUnixTimeSeconds(1_000_000 * 60));
    private readonly SharedUsage _usage;

    public SharedUsageTests() => _usage = new SharedUsage(_time);

    private long Minute => SharedUsage.MinuteOf(_time.GetUtcNow());

    [Fact]
    public void NothingHeard_NothingIsTaken() => Assert.True(_usage.Leaves(1, out _));

    [Fact]
    public void OthersUsedItUp_TheClientWaits()
    {
        Hear(all: 10);
        Assert.True(_usage.Leaves(11, out _));
        Assert.False(_usage.Leaves(10, out var wait));
        // The minute ends, and then one of ten fades in six seconds.
        Assert.Equal(TimeSpan.FromSeconds(66), wait);
    }

    [Fact]
    public void ItsOwnRequests_AreNotCountedAsTheOthers()
    {
        for (var i = 0; i < 4; i++)
        {
            _usage.Admitted();
        }

        Hear(all: 6);

        Assert.True(_usage.Leaves(3, out _));
        Assert.False(_usage.Leaves(2, out _));
    }

    [Fact]
    public void News_AreToldOnceAndAskedAboutForAMinute()
    {
        _usage.Admitted();
        _usage.Admitted();
        Assert.Equal((Minute, 2L), _usage.TakeNews());
        Assert.Equal((Minute, 0L), _usage.TakeNews());
        _time.Advance(TimeSpan.FromSeconds(60));
        Assert.Null(_usage.TakeNews());
        _usage.Leaves(1, out _);
        Assert.Equal((Minute, 0L), _usage.TakeNews());
    }

    [Fact]
    public void WhatWasHeard_IsBelievedForAWhileOnly()
    {
        Hear(all: 10);
        Assert.False(_usage.Leaves(1, out _));
        _time.Advance(Believed);
        Assert.True(_usage.Leaves(1, out _));
    }

    [Fact]
    public void LastMinute_Fades()
    {
        Hear(all: 0, before: 60);
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.False(_usage.Leaves(31, out var wait));
        Assert.Equal(29, wait.TotalSeconds, 3);
        _time.Advance(TimeSpan.FromSeconds(29));
        Hear(all: 0, before: 60);
        Assert.True(_usage.Leaves(31, out _));
    }

    [Fact]
    public void ItsOwnLastMinute_IsNotTheOthers()
    {
        for (var i = 0; i < 5; i++)
        {
            _usage.Admitted();
        }

        _usage.TakeNews();
        _time.Advance(TimeSpan.FromMinutes(1));
        Hear(all: 0, before: 5);
        Assert.True(_usage.Leaves(1, out _));
    }

    [Fact]
    public void AnswerForAMinuteThatIsOver_IsNotLearnt()
    {
        var (minute, _) = _usage.TakeNews()!.Value;
        _time.Advance(TimeSpan.FromMinutes(1));
        _usage.TakeNews();
        _usage.Learn(minute, 100, 100, Believed);
        Assert.True(_usage.Leaves(1, out _));
    }

    /// <summary>Who waits for as long as it was told gets in, and not a second earlier.</summary>
    [Fact]
    public void Wait_IsLongEnoughAndNotTooLong()
    {
        Gen.Select(Gen.Long[0, 500], Gen.Long[0, 500], Gen.Long[0, 500], Gen.Double[0, 119]).Sample((room, current, before, since) =>
        {
            var window = new UsageWindow(1000, current, before);
            var now = DateTimeOffset.FromUnixTimeSeconds(60_000).AddSeconds(since);
            var wait = window.WaitFor(room, now);
            Assert.InRange(wait.TotalSeconds, 0, 120);
            Assert.True(Held(window, now + wait + TimeSpan.FromMilliseconds(2)) <= room);
            Assert.True(wait == TimeSpan.Zero || Held(window, now + wait - TimeSpan.FromMilliseconds(20)) >= room);
        });
    }

    private static double Held(UsageWindow window, DateTimeOffset at)
    {
        var since = at.ToUnixTimeMilliseconds() / 1000.0 - window.Minute * 60;
        return since < 60 ? window.Current + window.Before * (1 - since / 60) : window.Current * Math.Max(0, 1 - (since - 60) / 60);
    }

    private void Hear(long all, long before = 0)
    {
        _usage.TakeNews();
        _usage.Learn(Minute, all, before, Believed);
    }
}
