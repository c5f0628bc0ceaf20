using System.Diagnostics;

namespace ProxyGateway.Benchmarks.Load;

/// <summary>What else took CPU while a cell ran: the bench's own upstream, and processes that have nothing to do with it.</summary>
internal sealed class NoiseWindow(int targetId, int upstreamId)
{
    private readonly TimeSpan _upstream = ProcessCost.Cpu(upstreamId);
    private readonly TimeSpan _bench = ProcessCost.Cpu(targetId) + ProcessCost.Cpu(upstreamId) + Environment.CpuUsage.TotalTime;
    private readonly TimeSpan _machine = ProcessCost.MachineCpu();
    private readonly long _since = Stopwatch.GetTimestamp();

    /// <summary>Cores the upstream used. Near one, it would be the bottleneck.</summary>
    public double UpstreamCores => (ProcessCost.Cpu(upstreamId) - _upstream) / Stopwatch.GetElapsedTime(_since);

    /// <summary>Cores that strangers used.</summary>
    public double OtherCores => Math.Max(0, (ProcessCost.MachineCpu() - _machine - (ProcessCost.Cpu(targetId) + ProcessCost.Cpu(upstreamId) + Environment.CpuUsage.TotalTime - _bench)) / Stopwatch.GetElapsedTime(_since));
}
