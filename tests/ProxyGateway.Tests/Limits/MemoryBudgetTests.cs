using System.IO.Pipelines;
using Microsoft.AspNetCore.Http;
using ProxyGateway.StreamingFallback.Exchange;
using ProxyGateway.StreamingFallback.Limits;
using Xunit;

namespace ProxyGateway.Tests.Limits;

public sealed class MemoryBudgetTests
{
    private readonly MemoryBudget _budget = new();

    [Fact]
    public void Bodies_AreLetInUpToTheLimitAndAgainOnceOthersHaveLeft()
    {
        var share = new MemoryShare(_budget, 100);

        Assert.True(share.TryTake(60));
        Assert.False(share.TryTake(41));
        Assert.True(share.TryTake(40));
        share.Return(60);
        Assert.True(share.TryTake(60));
        Assert.Equal(100, _budget.Held);
    }

    [Fact]
    public void ShareWithoutBudget_LetsEverythingIn() => Assert.True(default(MemoryShare).TryTake(long.MaxValue));

    [Theory]
    [InlineData(0, 0L)]
    [InlineData(10, 10L)]
    [InlineData(64 * 1024, null)]
    [InlineData(1_000_000, 1_000_000L)]
    [InlineData(1_000_000, null)]
    public async Task Body_IsChargedWhatItTakesAndNothingAfterwards(int length, long? declared)
    {
        var (body, refusal) = await ReadAsync(new MemoryStream(new byte[length]), declared, limit: 10_000_000);

        Assert.Equal((BodyRefusal.None, length), (refusal, body!.Length));
        Assert.InRange(_budget.Held, length, (2 * length) + 4096);
        body.Dispose();
        body.Dispose();
        Assert.Equal(0, _budget.Held);
    }

    [Theory]
    [InlineData(200_001, 1_000_000, "TooLarge")]
    [InlineData(200_000, 100_000, "NoMemory")]
    public async Task RefusedBody_IsChargedNothing(int length, int limit, string expected)
    {
        foreach (var declared in new long?[] { null, length })
        {
            var (body, refusal) = await ReadAsync(new MemoryStream(new byte[length]), declared, limit, maxBytes: 200_000);

            Assert.Equal((null, expected, 0), (body, refusal.ToString(), _budget.Held));
        }
    }

    [Fact]
    public async Task BodyThatIsPromisedAndDoesNotCome_CostsNoMoreThanWhatCame()
    {
        var pipe = new Pipe();
        var reading = ReadAsync(pipe.Reader.AsStream(), declared: 10_000_000, limit: 100_000, maxBytes: 10_000_000);
        await pipe.Writer.WriteAsync(new byte[100], TestContext.Current.CancellationToken);

        Assert.False(reading.IsCompleted);
        Assert.InRange(_budget.Held, 100, 65_536);
        await pipe.Writer.CompleteAsync(new IOException("The client has left."));
        await Assert.ThrowsAsync<IOException>(async () => await reading);
        Assert.Equal(0, _budget.Held);
    }

    private ValueTask<(RequestBody? Body, BodyRefusal Refusal)> ReadAsync(Stream source, long? declared, long limit, int maxBytes = 2_000_000)
    {
        var request = new DefaultHttpContext().Request;
        (request.Body, request.ContentLength) = (source, declared);
        return RequestBody.ReadAsync(request, maxBytes, new MemoryShare(_budget, limit), TestContext.Current.CancellationToken);
    }
}
