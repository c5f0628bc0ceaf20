using System.Buffers;
using ProxyGateway.StreamingFallback.ChatFormats.AnthropicMessages;
using ProxyGateway.StreamingFallback.Configuration;
using ProxyGateway.StreamingFallback.Guard;
using ProxyGateway.Tests.Allocations;
using Xunit;

namespace ProxyGateway.Tests.ChatFormats.AnthropicMessages;

/// <summary>The cost of an ordinary text event.</summary>
public sealed class AnthropicMessagesAllocationTests
{
    [Theory]
    [InlineData(1 << 22)]
    [InlineData(200)]
    public void TextEvents_AllocateNothing(int maxDelivered)
    {
        using var reader = new AnthropicMessagesReader(maxDelivered, TerminalProfile.Auto);
        using var guard = new StreamGuard(GuardedStream.Format, reader, 1 << 20);
        var client = new ArrayBufferWriter<byte>(1 << 24);
        guard.Push(Wire.Utf8(Wire.MessageStart + Wire.StartText(0)), client);
        var e = Wire.Utf8(Wire.Text(0, "token \"x\" ü"));
        // Enough that the kept text needs no larger array while it is measured.
        reader.Message.Blocks[0].Text.GetSpan(1 << 20);
        for (var i = 0; i < 1000; i++)
        {
            guard.Push(e, client);
        }

        var pushed = 1000;
        var allocated = Allocated.Least(() =>
        {
            for (var i = 0; i < 10_000; i++, pushed++)
            {
                guard.Push(e, client);
            }
        });

        Assert.Equal(0, allocated);
        Assert.Equal(pushed, guard.ContentEvents);
        Assert.Equal(maxDelivered > 1000, reader.CanSplice);
    }
}
