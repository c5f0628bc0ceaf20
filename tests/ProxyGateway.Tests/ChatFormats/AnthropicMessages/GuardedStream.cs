using System.Buffers;
using ProxyGateway.StreamingFallback.ChatFormats;
using ProxyGateway.StreamingFallback.ChatFormats.AnthropicMessages;
using ProxyGateway.StreamingFallback.Configuration;
using ProxyGateway.StreamingFallback.Guard;
using ProxyGateway.StreamingFallback.Telemetry;
using Xunit;

namespace ProxyGateway.Tests.ChatFormats.AnthropicMessages;

/// <summary>One attempt of this format behind a guard, and what its client got.</summary>
internal sealed class GuardedStream
{
    public static readonly AnthropicMessagesFormat Format = new();
    public static readonly ChatRequest Request = ReadRequest("""{"model":"claude","max_tokens":9,"stream":true,"messages":[]}""");

    private readonly ArrayBufferWriter<byte> _client = new();

    private GuardedStream(TerminalProfile terminal, int maxDelivered)
    {
        Reader = (AnthropicMessagesReader)Format.NewReader(Request, maxDelivered, terminal);
        Guard = new StreamGuard(Format, Reader, 1 << 20);
    }

    public AnthropicMessagesReader Reader { get; }

    public StreamGuard Guard { get; }

    public byte[] Client => _client.WrittenSpan.ToArray();

    public static ChatRequest ReadRequest(string body)
    {
        Assert.Null(Format.ReadRequest(Wire.Utf8(body), "/v1/messages", out var request));
        return request;
    }

    /// <summary>Sends <paramref name="upstream"/> in pieces and ends it.</summary>
    public static GuardedStream Run(ReadOnlySpan<byte> upstream, FaultKind end = FaultKind.None, int piece = int.MaxValue, TerminalProfile terminal = TerminalProfile.Auto, int maxDelivered = 1 << 20)
    {
        var run = new GuardedStream(terminal, maxDelivered);
        while (!upstream.IsEmpty)
        {
            var length = Math.Min(piece, upstream.Length);
            run.Guard.Push(upstream[..length], run._client);
            upstream = upstream[length..];
        }

        run.Guard.End(end, run._client);
        return run;
    }

    public static GuardedStream Run(string upstream, FaultKind end = FaultKind.None, TerminalProfile terminal = TerminalProfile.Auto, int maxDelivered = 1 << 20) =>
        Run(Wire.Utf8(upstream), end, terminal: terminal, maxDelivered: maxDelivered);

    /// <summary>Goes on with a whole answer, as a recovery does.</summary>
    public AnswerVerdict Continue(byte[] answer)
    {
        var before = _client.WrittenCount;
        var verdict = Format.Continue(Request, Reader.Delivered == DeliveredKind.Nothing ? null : Reader, answer, _client);
        Assert.True(verdict == AnswerVerdict.Usable || _client.WrittenCount == before, "Something was written although the answer does not serve.");
        return verdict;
    }
}
