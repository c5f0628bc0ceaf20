using System.IO.Pipelines;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using ProxyGateway.Tests.Allocations;
using Xunit;

namespace ProxyGateway.Tests.Attempts;

/// <summary>What an attempt passes on is flushed once per piece that came, before the next is asked for.</summary>
public sealed class FlushTests : IDisposable
{
    private static readonly byte[] Event = EventTexts.Of("plain text")[0];

    private readonly FlushCounter _client = new();
    private readonly StreamingAttempt _under;

    public FlushTests()
    {
        var http = new DefaultHttpContext();
        http.Features.Set<IHttpResponseBodyFeature>(_client);
        _under = new StreamingAttempt(http);
    }

    public void Dispose() => _under.Dispose();

    [Fact]
    public async Task EveryPiece_IsOneFlush_HoweverManyEventsItHolds()
    {
        var flushes = new List<int>();
        foreach (var piece in (byte[][])[EventTexts.Role, Event, Event, [.. Event, .. Event, .. Event], EventTexts.End])
        {
            await _under.Attempt.OnBytesAsync(piece);
            flushes.Add(_client.Flushes);
        }

        // The role waits for the first content.
        Assert.Equal([0, 1, 2, 3, 4], flushes);
        Assert.Equal(EventTexts.Role.Length + (5 * Event.Length) + EventTexts.End.Length, _client.Flushed);
    }

    [Fact]
    public async Task HalfAnEvent_LeavesWithItsOtherHalf()
    {
        await _under.Attempt.OnBytesAsync((byte[])[.. EventTexts.Role, .. Event, .. Event[..20]]);
        await _under.Attempt.OnBytesAsync(Event.AsMemory(20, 5));
        Assert.Equal((1, (long)EventTexts.Role.Length + Event.Length), (_client.Flushes, _client.Flushed));

        await _under.Attempt.OnBytesAsync(Event.AsMemory(25));
        Assert.Equal((2, (long)EventTexts.Role.Length + (2 * Event.Length)), (_client.Flushes, _client.Flushed));
    }

    [Fact]
    public async Task ClientThatDoesNotRead_HoldsTheUpstreamBack()
    {
        await _under.Attempt.OnBytesAsync((byte[])[.. EventTexts.Role, .. Event]);
        var blocked = _client.Blocked = new TaskCompletionSource();
        var second = _under.Attempt.OnBytesAsync(Event);
        Assert.False(second.IsCompleted);

        _client.Blocked = null;
        blocked.SetResult();
        await second;
        Assert.Equal(2, _client.Flushes);
    }

    /// <summary>The client's side: counts what was written and what of it was flushed.</summary>
    private sealed class FlushCounter : PipeWriter, IHttpResponseBodyFeature
    {
        private readonly byte[] _scratch = new byte[4096];
        private long _written;

        public TaskCompletionSource? Blocked { get; set; }

        public int Flushes { get; private set; }

        public long Flushed { get; private set; }

        public Stream Stream => Stream.Null;

        public PipeWriter Writer => this;

        public override void Advance(int bytes) => _written += bytes;

        public override async ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default)
        {
            Flushes++;
            Flushed = _written;
            if (Blocked is { } blocked)
            {
                await blocked.Task;
            }

            return default;
        }

        public override Memory<byte> GetMemory(int sizeHint = 0) => _scratch;

        public override Span<byte> GetSpan(int sizeHint = 0) => _scratch;

        public override void CancelPendingFlush()
        {
        }

        public override void Complete(Exception? exception = null)
        {
        }

        public Task CompleteAsync() => Task.CompletedTask;

        public void DisableBuffering()
        {
        }

        public Task SendFileAsync(string path, long offset, long? count, CancellationToken cancellationToken = default) => throw new NotSupportedException();

        public Task StartAsync(CancellationToken cancellationToken = default) => Task.CompletedTask;
    }
}
