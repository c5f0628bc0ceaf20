using Xunit;

namespace ProxyGateway.IntegrationTests.Configuration;

/// <summary>Counts handles and memory of the process, so nothing else may run meanwhile.</summary>
[CollectionDefinition(nameof(ReloadSoakTests), DisableParallelization = true)]
public sealed class ReloadSoakGroup;

/// <summary>Many reloads leave nothing behind.</summary>
[Collection(nameof(ReloadSoakTests))]
public sealed class ReloadSoakTests
{
    private const int Reloads = 1000;

    [Fact]
    public void ThousandReloads_HandlesAndMemoryAreBackAtTheStart()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Counts handles in /proc.");
        using var bench = new ReloadBench();
        Reload(bench, 0, 50);
        var handles = Handles();
        var memory = Memory();

        Reload(bench, 50, Reloads);

        // Every fifth was invalid and the rest each differed from the one before.
        Assert.Equal(1 + ((50 + Reloads) * 4 / 5), bench.Reloader.State.Version);
        Assert.Empty(Handles().Except(handles));
        Assert.InRange(Memory(), 0, memory + (2 * 1024 * 1024));
    }

    private static void Reload(ReloadBench bench, int from, int count)
    {
        for (var i = from; i < from + count; i++)
        {
            File.WriteAllText(bench.File, i % 5 == 4 ? "{ not json" : ReloadBench.Text(10_000 + i));
            bench.Reloader.Reload(dryRun: false);
        }
    }

    /// <summary>What each open handle is: a path, or a kind with its number. Code that the runtime loads late is no leak.</summary>
    private static List<string> Handles() =>
        [.. Directory.GetFileSystemEntries("/proc/self/fd").Select(f => new FileInfo(f).LinkTarget).OfType<string>().Where(t => !t.EndsWith(".dll", StringComparison.Ordinal))];

    private static long Memory()
    {
        for (var i = 0; i < 3; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }

        return GC.GetTotalMemory(forceFullCollection: true);
    }
}
