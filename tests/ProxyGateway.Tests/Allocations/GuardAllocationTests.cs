using ProxyGateway.StreamingFallback.Buffers;
using ProxyGateway.StreamingFallback.ChatFormats;
using ProxyGateway.StreamingFallback.ChatFormats.OpenAIChat;
using ProxyGateway.StreamingFallback.Configuration;
using ProxyGateway.StreamingFallback.Guard;
using Xunit;

namespace ProxyGateway.Tests.Allocations;

public sealed class GuardAllocationTests
{
    [Theory]
    [InlineData("plain text")]
    [InlineData("escaped text")]
    [InlineData("padded text")]
    [InlineData("reasoning")]
    [InlineData("tool call")]
    [InlineData("comment")]
    public void Events_AllocateNothing(string kind)
    {
        var events = EventTexts.Of(kind);
        var allocated = Allocated.Least(
            () => new FlowingGuard(events[0]),
            guard =>
            {
                foreach (var e in events)
                {
                    guard.Push(e);
                }
            });
        Assert.Equal(0, allocated);
    }

    [Fact]
    public void EventsSplitBetweenReads_AllocateNothing()
    {
        var events = EventTexts.Of("plain text");
        var allocated = Allocated.Least(
            () => new FlowingGuard(events[0]),
            guard =>
            {
                foreach (var e in events)
                {
                    guard.Push(e.AsSpan(0, 40));
                    guard.Push(e.AsSpan(40));
                }
            });
        Assert.Equal(0, allocated);
    }

    private sealed class FlowingGuard : IDisposable
    {
        private static readonly OpenAIChatFormat Format = new();

        private readonly PooledBuffer _output = new();
        private readonly StreamGuard _guard;

        public FlowingGuard(byte[] first)
        {
            _guard = new StreamGuard(Format, Format.NewReader(new ChatRequest { Streaming = true }, 1 << 20, TerminalProfile.Auto), 1 << 20);
            Push(EventTexts.Role);
            Push(EventTexts.Of("plain text")[0]);
            Push(first);
        }

        public void Push(ReadOnlySpan<byte> bytes)
        {
            _guard.Push(bytes, _output);
            Assert.False(_guard.State == GuardState.Faulted);
            _output.Truncate(0);
        }

        public void Dispose()
        {
            _guard.Reader.Dispose();
            _guard.Dispose();
            _output.Dispose();
        }
    }
}
