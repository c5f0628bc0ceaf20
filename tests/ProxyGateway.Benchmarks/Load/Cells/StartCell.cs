using ProxyGateway.Benchmarks.Load.Targets;

namespace ProxyGateway.Benchmarks.Load.Cells;

/// <summary>From the start of the process to its first answer.</summary>
internal sealed class StartCell : Cell
{
    public override string Name => "start";

    public override async Task<CellResult> RunAsync(Target target)
    {
        var took = await target.StartAsync();
        target.Stop();
        return new CellResult(new Dictionary<string, double> { ["first answer ms"] = took.TotalMilliseconds });
    }
}
