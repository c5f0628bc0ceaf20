using System.Text;
using ProxyGateway.StreamingFallback.Attempts;
using Xunit;

namespace ProxyGateway.Tests.Attempts;

public sealed class AttemptBodyTests
{
    private static readonly byte[] Whole = "..{\"model\":\"m\"}..."u8.ToArray();

    [Fact]
    public async Task StreamAndContent_AreTheSameBytes()
    {
        using var body = new AttemptBody(new ArraySegment<byte>(Whole, 2, 13));

        using var sent = new MemoryStream();
        await body.Content.CopyToAsync(sent, TestContext.Current.CancellationToken);

        Assert.Equal("{\"model\":\"m\"}", Encoding.UTF8.GetString(sent.ToArray()));
        Assert.Equal(13, body.Content.Headers.ContentLength);
        using var reader = new StreamReader(body);
        Assert.Equal("{\"model\":\"m\"}", await reader.ReadToEndAsync(TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task SendingTwice_IsAllowed_AsAStaleConnectionNeedsIt()
    {
        using var body = new AttemptBody(Whole);

        using var first = new MemoryStream();
        using var second = new MemoryStream();
        await body.Content.CopyToAsync(first, TestContext.Current.CancellationToken);
        await body.Content.CopyToAsync(second, TestContext.Current.CancellationToken);

        Assert.Equal(first.ToArray(), second.ToArray());
    }

    [Fact]
    public async Task Revoked_IsNotSentAnyMore()
    {
        using var body = new AttemptBody(Whole);

        Assert.True(body.Content.TryRevoke());

        using var sent = new MemoryStream();
        await Assert.ThrowsAnyAsync<Exception>(() => body.Content.CopyToAsync(sent, TestContext.Current.CancellationToken));
        Assert.Equal(0, sent.Length);
    }

    [Fact]
    public async Task WhileItIsBeingSent_ItCannotBeRevoked()
    {
        using var body = new AttemptBody(Whole);
        using var slow = new SlowStream();

        var sending = body.Content.CopyToAsync(slow, TestContext.Current.CancellationToken);

        Assert.False(body.Content.TryRevoke());
        slow.Release.SetResult();
        await sending;
        Assert.True(body.Content.TryRevoke());
    }

    private sealed class SlowStream : MemoryStream
    {
        public TaskCompletionSource Release { get; } = new();

        public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) => await Release.Task;
    }
}
