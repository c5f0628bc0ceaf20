using System.Text;
using ProxyGateway.StreamingFallback.Buffers;
using ProxyGateway.StreamingFallback.ChatFormats;
using ProxyGateway.StreamingFallback.ChatFormats.OpenAIChat;
using ProxyGateway.StreamingFallback.Configuration;
using ProxyGateway.StreamingFallback.Guard;
using ProxyGateway.StreamingFallback.Telemetry;
using ProxyGateway.Tests.Sse;

namespace ProxyGateway.Tests.Guard;

/// <summary>One attempt through the guard, without a gateway around it.</summary>
internal sealed class GuardRun : IDisposable
{
    private readonly PooledBuffer _output = new();

    public GuardRun(ChatRequest? request = null, int maxEventBytes = 1 << 20, int maxDelivered = 1 << 20, TerminalProfile terminal = TerminalProfile.Auto)
    {
        Request = request ?? new ChatRequest { Streaming = true };
        Reader = (OpenAIChatReader)Format.NewReader(Request, maxDelivered, terminal);
        Guard = new StreamGuard(Format, Reader, maxEventBytes);
    }

    public static OpenAIChatFormat Format { get; } = new();

    public ChatRequest Request { get; }

    public OpenAIChatReader Reader { get; }

    public StreamGuard Guard { get; }

    public string Output => Encoding.UTF8.GetString(_output.Span);

    public GuardRun Push(string text, int chunk = int.MaxValue) => Push(Encoding.UTF8.GetBytes(text), chunk);

    public GuardRun Push(byte[] bytes, int chunk = int.MaxValue)
    {
        foreach (var piece in FramedEvents.Cut(bytes, Math.Min(chunk, Math.Max(1, bytes.Length))))
        {
            Guard.Push(piece, _output);
        }

        return this;
    }

    public GuardRun End(FaultKind fault = FaultKind.None)
    {
        Guard.End(fault, _output);
        return this;
    }

    public (AnswerVerdict Verdict, string Written) Continue(byte[] answer)
    {
        using var rest = new PooledBuffer();
        var delivered = Reader.Delivered == DeliveredKind.Nothing ? null : Reader;
        var verdict = Format.Continue(Request, delivered, answer, rest);
        return (verdict, Encoding.UTF8.GetString(rest.Span));
    }

    public void Dispose()
    {
        Guard.Dispose();
        Reader.Dispose();
        _output.Dispose();
    }
}
