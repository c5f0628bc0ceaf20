using System.Buffers;
using ProxyGateway.SimulationTests.Grid;
using ProxyGateway.StreamingFallback.ChatFormats;
using ProxyGateway.StreamingFallback.Configuration;
using ProxyGateway.StreamingFallback.Guard;
using ProxyGateway.StreamingFallback.Telemetry;
using ProxyGateway.TestKit.Contract;

namespace ProxyGateway.SimulationTests.Fuzzing.Targets;

/// <summary>One attempt's stream behind its guard, as an exchange has it, without the exchange.</summary>
internal sealed class Guarded(GridSubject subject, int maxEventBytes, int maxDeliveredBytes, TerminalRule terminal) : IDisposable
{
    private readonly ArrayBufferWriter<byte> _output = new(4096);

    public StreamGuard Guard { get; } = new(
        Subjects.Format(subject),
        Subjects.Format(subject).NewReader(Subjects.Request(subject), maxDeliveredBytes, terminal switch
        {
            TerminalRule.Done => TerminalProfile.Done,
            TerminalRule.FinishReason => TerminalProfile.FinishReason,
            _ => TerminalProfile.Auto,
        }),
        maxEventBytes);

    public ReadOnlySpan<byte> Output => _output.WrittenSpan;

    public ChatStreamReader Reader => Guard.Reader;

    /// <summary>The most that was kept at any time.</summary>
    public int MostKept { get; private set; }

    /// <summary>Sends all of <paramref name="bytes"/>, at once or in pieces, and ends.</summary>
    public Guarded Run(byte[] bytes, FuzzRandom? pieces, FaultKind end)
    {
        if (pieces is null)
        {
            Push(bytes);
        }
        else
        {
            Cuts.Push(bytes, pieces, Push);
        }

        Guard.End(end, _output);
        return this;
    }

    public void Dispose()
    {
        Guard.Dispose();
        Reader.Dispose();
    }

    private void Push(ReadOnlySpan<byte> piece)
    {
        Guard.Push(piece, _output);
        MostKept = Math.Max(MostKept, Reader.KeptBytes);
    }
}
