using Microsoft.AspNetCore.Http;
using Xunit;

namespace ProxyGateway.Tests.Allocations;

public sealed class AttemptAllocationTests
{
    [Theory]
    [InlineData("plain text")]
    [InlineData("escaped text")]
    [InlineData("tool call")]
    public void EventsFromUpstreamToClient_AllocateNothing(string kind)
    {
        var events = EventTexts.Of(kind);
        var allocated = Allocated.Least(
            () => new FlowingAttempt(events[0]),
            attempt =>
            {
                foreach (var e in events)
                {
                    attempt.Write(e);
                }
            });
        Assert.Equal(0, allocated);
    }

    /// <summary>An attempt that has delivered its first content to a client that takes everything at once.</summary>
    private sealed class FlowingAttempt : IDisposable
    {
        private readonly StreamingAttempt _under = new(new DefaultHttpContext());
        private long _written;

        public FlowingAttempt(byte[] first)
        {
            Write(EventTexts.Role);
            Write(EventTexts.Of("plain text")[0]);
            Write(first);
            Assert.True(_under.Attempt.Delivering);
        }

        public void Write(byte[] bytes)
        {
            var pending = _under.Attempt.OnBytesAsync(bytes);
            Assert.True(pending.IsCompletedSuccessfully);
            _written += bytes.Length;
            Assert.True(!_under.Attempt.Delivering || _under.Exchange.Client.BytesWritten == _written);
        }

        public void Dispose() => _under.Dispose();
    }
}
