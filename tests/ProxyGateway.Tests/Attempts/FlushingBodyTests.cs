using System.IO.Pipelines;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using ProxyGateway.StreamingFallback.Attempts;
using ProxyGateway.Tests.Allocations;
using Xunit;

namespace ProxyGateway.Tests.Attempts;

/// <summary>When what an attempt passes on is flushed: before a read of the upstream that waits, and before it becomes too much.</summary>
public sealed class FlushingBodyTests : IDisposable
{
    private static readonly byte[] Event = EventTexts.Of("plain text")[0];

    private static readonly byte[] End = Encoding.ASCII.GetBytes(
        "data: {\"id\":\"chatcmpl-1\",\"object\":\"chat.completion.chunk\",\"created\":1700000000,\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n");

    private readonly FlushCounter _client = new();
    private readonly StreamingAttempt _under;
    private readonly Attempt _attempt;
    private readonly Upstream _upstream = new();
    private readonly FlushingBody _body;

    public FlushingBodyTests()
    {
        var http = new DefaultHttpContext();
        http.Features.Set<IHttpResponseBodyFeature>(_client);
        _under = new StreamingAttempt(http);
        _attempt = _under.Attempt;
        _body = new FlushingBody(_upstream, _attempt);
    }

    public void Dispose()
    {
        _under.Dispose();
        _body.Dispose();
    }

    [Fact]
    public async Task WhatIsThereAlready_LeavesInOnePiece_BeforeTheReadThatWaits()
    {
        _upstream.Add(EventTexts.Role, Event, Event, Event, Event);
        var copy = CopyAsync();

        // The first content at once, all else before the wait.
        Assert.False(copy.IsCompleted);
        Assert.Equal(2, _client.Flushes);
        Assert.Equal(3 * Event.Length, _client.Most);
        Assert.Equal(EventTexts.Role.Length + (4 * Event.Length), _client.Flushed);

        // Each piece that comes by itself leaves at once.
        for (var n = 3; n < 6; n++)
        {
            _upstream.Add(Event);
            Assert.Equal(n, _client.Flushes);
            Assert.Equal(_client.Written, _client.Flushed);
        }

        _upstream.End();
        await copy;
    }

    [Fact]
    public async Task WithoutAWait_NoMoreThanTheBoundIsHeld()
    {
        const int Bound = 16 * 1024;
        var events = Enumerable.Repeat(Event, 100 * Bound / Event.Length).ToArray();
        _upstream.Add([EventTexts.Role, .. events]);
        _upstream.End();
        await CopyAsync();

        Assert.InRange(_client.Most, Bound, Bound + Event.Length);
        Assert.InRange(_client.Flushes, 90, 100);
        // The rest goes with the end of the answer, or before anything else is tried.
        await _attempt.FlushAsync();
        Assert.Equal(_client.Written, _client.Flushed);
    }

    [Fact]
    public async Task BodyThatIsReadPastThisOne_FlushesEveryPiece()
    {
        _upstream.Add(EventTexts.Role, Event, Event);
        _upstream.End();
        await CopyAsync(_upstream);

        // The role waits for the first content.
        Assert.Equal(2, _client.Flushes);
        Assert.Equal(_client.Written, _client.Flushed);
    }

    [Fact]
    public async Task LastEvent_LeavesBeforeTheEndOfTheBodyIsWaitedFor()
    {
        _upstream.Add(EventTexts.Role, Event);
        var copy = CopyAsync();
        Assert.Equal(1, _client.Flushes);

        _upstream.Add(End);
        Assert.Equal(2, _client.Flushes);
        Assert.Equal(_client.Written, _client.Flushed);
        _upstream.End();
        await copy;
    }

    [Fact]
    public async Task FirstContent_LeavesAtOnce_EvenWithTheEnd()
    {
        _upstream.Add([.. EventTexts.Role, .. Event, .. End]);
        _upstream.End();
        await CopyAsync();

        Assert.Equal(1, _client.Flushes);
        Assert.Equal(_client.Written, _client.Flushed);
    }

    [Fact]
    public async Task EndThatIsThereAlready_LeavesWithTheEndOfTheBody()
    {
        _upstream.Add(EventTexts.Role, Event, End);
        _upstream.End();
        await CopyAsync();

        Assert.Equal(1, _client.Flushes);
        Assert.Equal(End.Length, _client.Written - _client.Flushed);
    }

    /// <summary>A transform of the application's own may read ahead: then a piece may come while a read of ours is waiting.</summary>
    [Fact]
    public async Task PieceThatComesWhileAReadWaits_IsFlushedAtOnce()
    {
        _upstream.Add(EventTexts.Role, Event);
        var copy = CopyAsync();
        Assert.Equal(1, _client.Flushes);

        await _attempt.OnBytesAsync(Event);
        Assert.Equal(2, _client.Flushes);
        Assert.Equal(_client.Written, _client.Flushed);
        _upstream.End();
        await copy;
    }

    [Fact]
    public async Task ClientThatDoesNotRead_HoldsTheUpstreamBack()
    {
        var blocked = new TaskCompletionSource();
        _client.OnFlush = () => _client.Blocked = blocked;
        _upstream.Add(EventTexts.Role, Event, Event);
        var copy = CopyAsync();
        _upstream.Add(Event);
        Assert.Equal(2, _client.Flushes);
        Assert.Equal(EventTexts.Role.Length + (2 * Event.Length), _client.Written);

        _client.Blocked = null;
        blocked.SetResult();
        Assert.Equal(EventTexts.Role.Length + (3 * Event.Length), _client.Flushed);
        _upstream.End();
        await copy;
    }

    [Fact]
    public async Task ClientThatIsGone_EndsTheReadToo()
    {
        var blocked = new TaskCompletionSource();
        _client.OnFlush = () => _client.Blocked = blocked;
        _upstream.Add(EventTexts.Role, Event, Event);
        var copy = CopyAsync();
        blocked.SetException(new IOException("gone"));

        // The attempt's end reaches the read that was under way, and its end is seen.
        var thrown = await Assert.ThrowsAnyAsync<Exception>(() => copy);
        Assert.True(thrown is IOException or OperationCanceledException);
        Assert.True(_attempt.Features.RequestAborted.IsCancellationRequested);
        Assert.True(_upstream.LastRead.IsCompleted);
    }

    /// <summary>As YARP copies: a read of nothing tells when there is something.</summary>
    private async Task CopyAsync(Stream? body = null)
    {
        var buffer = new byte[4096];
        body ??= _body;
        while (true)
        {
            _ = await body.ReadAsync(Memory<byte>.Empty, _attempt.Features.RequestAborted);
            var read = await body.ReadAsync(buffer, _attempt.Features.RequestAborted);
            if (read == 0)
            {
                return;
            }

            await _attempt.OnBytesAsync(buffer.AsMemory(0, read));
        }
    }

    /// <summary>An upstream's body: one read is one piece, and a read that finds none waits. Continues on the thread that adds.</summary>
    private sealed class Upstream : MemoryStream
    {
        private readonly Queue<byte[]> _pieces = new();
        private TaskCompletionSource _changed = new();
        private bool _ended;

        public Task LastRead { get; private set; } = Task.CompletedTask;

        public void Add(params byte[][] pieces)
        {
            foreach (var piece in pieces)
            {
                _pieces.Enqueue(piece);
            }

            Wake();
        }

        public void End()
        {
            _ended = true;
            Wake();
        }

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            var read = ReadPieceAsync(buffer, cancellationToken);
            LastRead = read;
            return new ValueTask<int>(read);
        }

        private async Task<int> ReadPieceAsync(Memory<byte> buffer, CancellationToken cancel)
        {
            while (_pieces.Count == 0 && !_ended)
            {
                await _changed.Task.WaitAsync(cancel);
            }

            if (buffer.IsEmpty || _pieces.Count == 0)
            {
                return 0;
            }

            var piece = _pieces.Dequeue();
            piece.CopyTo(buffer);
            return piece.Length;
        }

        private void Wake()
        {
            var changed = _changed;
            _changed = new TaskCompletionSource();
            changed.SetResult();
        }
    }

    /// <summary>The client's side: counts what was written and what of it was flushed.</summary>
    private sealed class FlushCounter : PipeWriter, IHttpResponseBodyFeature
    {
        private readonly byte[] _scratch = new byte[1 << 20];

        public TaskCompletionSource? Blocked { get; set; }

        public Action? OnFlush { get; set; }

        public int Flushes { get; private set; }

        public long Written { get; private set; }

        public long Flushed { get; private set; }

        /// <summary>The most that waited for a flush.</summary>
        public long Most { get; private set; }

        public Stream Stream => Stream.Null;

        public PipeWriter Writer => this;

        public override void Advance(int bytes)
        {
            Written += bytes;
            Most = Math.Max(Most, Written - Flushed);
        }

        public override async ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default)
        {
            Flushes++;
            Flushed = Written;
            var blocked = Blocked;
            OnFlush?.Invoke();
            OnFlush = null;
            if (blocked is not null)
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
