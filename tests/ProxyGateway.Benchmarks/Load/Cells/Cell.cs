using System.Diagnostics;
using ProxyGateway.Benchmarks.Load.Targets;

namespace ProxyGateway.Benchmarks.Load.Cells;

/// <summary>What one cell found at one target in one round, by metric.</summary>
internal sealed record CellResult(IReadOnlyDictionary<string, double> Values, string? Doubt = null);

/// <summary>One kind of load. Ends by itself after a bounded time.</summary>
internal abstract class Cell
{
    public abstract string Name { get; }

    public abstract Task<CellResult> RunAsync(Target target);
}

/// <summary>CPU of a target over a window.</summary>
internal readonly struct CpuWindow(int processId)
{
    private readonly TimeSpan _before = ProcessCost.Cpu(processId);
    private readonly long _since = Stopwatch.GetTimestamp();

    public TimeSpan Cpu => ProcessCost.Cpu(processId) - _before;

    public TimeSpan Elapsed => Stopwatch.GetElapsedTime(_since);

    /// <summary>CPU seconds per <paramref name="per"/> units, where <paramref name="units"/> were done.</summary>
    public double CpuPer(double per, double units) => Cpu.TotalSeconds * per / units;
}
