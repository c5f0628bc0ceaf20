using ProxyGateway.Benchmarks.Load.Cells;
using ProxyGateway.Benchmarks.Load.Targets;

namespace ProxyGateway.Benchmarks.Load;

/// <summary>
/// Proxies side by side: every round runs each cell at each target in turn (A B A B), so that whatever else the machine does
/// hits all of them alike; ratios are taken within a round.
/// </summary>
internal static class LoadCommand
{
    public static async Task<int> RunAsync(string[] args)
    {
        if (LoadOptions.Parse(args) is not { } options)
        {
            return 2;
        }

        // Read by the first socket of the process. Client and upstream do nothing but socket work, so they hop nowhere.
        Environment.SetEnvironmentVariable(ChildProcess.InlineCompletions, "1");
        var directory = Directory.CreateTempSubdirectory("proxygateway-bench-").FullName;
        using var upstream = ChildProcess.StartSelf(["upstream"], new Dictionary<string, string> { [ChildProcess.InlineCompletions] = "1" }, keepOutput: true);
        var upstreamPort = PortOf(upstream);
        // Only for targets that ask it over HTTP/2; idle without them.
        using var http2Upstream = options.Targets.Any(TargetCatalog.IsHttp2) ? ChildProcess.StartSelf(["upstream-http2"], keepOutput: true) : null;
        var catalog = new TargetCatalog(upstreamPort, http2Upstream is null ? 0 : PortOf(http2Upstream), directory, options);
        var targets = options.Targets.Select(catalog.Find).OfType<Target>().ToList();
        var report = new LoadReport(options);
        try
        {
            await RunSharedProcessesAsync(options, targets, upstreamPort, upstream.Id, report);
            await RunFreshProcessesAsync(options, targets, catalog, report);
        }
        catch (InvalidOperationException e)
        {
            // What was measured until then is shown all the same.
            Console.Error.WriteLine($"The run ended early: {e.Message}");
        }
        finally
        {
            targets.ForEach(t => t.Dispose());
            Directory.Delete(directory, recursive: true);
        }

        report.Print(Console.Out);
        if (options.JsonFile is { } file)
        {
            await File.WriteAllTextAsync(file, report.ToJson());
        }

        return report.HasResults ? 0 : 1;
    }

    private static int PortOf(ChildProcess upstream) =>
        int.Parse(upstream.ReadLine() ?? throw new InvalidOperationException("The upstream did not start."), System.Globalization.CultureInfo.InvariantCulture);

    /// <summary>Cells for which every target runs from the beginning to the end and is warm.</summary>
    private static async Task RunSharedProcessesAsync(LoadOptions options, List<Target> targets, int upstreamPort, int upstreamId, LoadReport report)
    {
        Cell[] cells =
        [
            new PacedCell("light", 100, 50, options.Window),
            new PacedCell("heavy", 500, 50, options.Window),
            new BurstCell(16, options.Quick ? 5 : 10),
            new ExchangesCell("json", stream: false, 64, options.Quick ? 25_600 : 102_400),
            new ExchangesCell("short", stream: true, 64, options.Quick ? 25_600 : 102_400),
            new FirstChunkCell(upstreamPort, options.Quick ? 200 : 400),
            new LongerStreamsCell(),
            new MoreStreamsCell(options.Window),
        ];
        var wanted = cells.Where(c => options.Wants(c.Name)).ToList();
        if (wanted.Count == 0)
        {
            return;
        }

        foreach (var target in targets)
        {
            Note($"start and warm up {target.Name}");
            await target.StartAsync();
            await WarmUpAsync(target);
        }

        for (var round = 0; round < options.Rounds; round++)
        {
            foreach (var cell in wanted)
            {
                for (var i = 0; i < targets.Count; i++)
                {
                    // Nobody is always the first after the others' noise.
                    var target = targets[(i + round) % targets.Count];
                    var noise = new NoiseWindow(target.ProcessId, upstreamId);
                    var result = await cell.RunAsync(target);
                    report.Add(cell.Name, target.Name, round, result, noise);
                }

                Note($"round {round + 1} of {options.Rounds}: {cell.Name}");
            }
        }

        targets.ForEach(t => t.Stop());
    }

    /// <summary>Runs all of the code often enough for the JIT's last tier, with pauses in which it can get there.</summary>
    private static async Task WarmUpAsync(Target target)
    {
        for (var i = 0; i < 5; i++)
        {
            await new ExchangesCell("json", stream: false, 16, 6400).RunAsync(target);
            await new ExchangesCell("short", stream: true, 16, 6400).RunAsync(target);
            await new BurstCell(8, 3).RunAsync(target);
            await new PacedCell("warm-up", 100, 50, TimeSpan.FromSeconds(0.7)).RunAsync(target);
        }
    }

    /// <summary>Cells that need a process of their own.</summary>
    private static async Task RunFreshProcessesAsync(LoadOptions options, List<Target> targets, TargetCatalog catalog, LoadReport report)
    {
        if (catalog.Find("gateway-patient") is { } patient && (options.Wants("recovery") || options.Wants("storm")))
        {
            await RunRecoveryAsync(options, patient, catalog.Find("gateway")!, report);
        }

        if (options.Wants("start"))
        {
            for (var round = 0; round < options.Rounds; round++)
            {
                foreach (var target in targets)
                {
                    report.Add("start", target.Name, round, await new StartCell().RunAsync(target), null);
                }
            }

            Note("starts");
        }

        if (!options.Wants("memory"))
        {
            return;
        }

        // Two descriptors per stream in a proxy, and the usual limit of a process is 20,000.
        // Where the connections to the upstream are shared it is one each, and more hold.
        int[] sizes = options.Quick ? [1000] : [1000, 9000, 15_000];
        foreach (var size in sizes)
        {
            for (var round = 0; round < Math.Min(options.Rounds, 3); round++)
            {
                foreach (var target in targets.Where(t => size <= 9000 || TargetCatalog.IsHttp2(t.Name)))
                {
                    report.Add("memory", target.Name, round, await HoldAsync(target, size), null);
                }
            }

            Note($"memory at {size} streams");
        }
    }

    /// <summary>What only the gateway does. Its limits against storms would stop the measurement of single recoveries; the storm itself runs with them.</summary>
    private static async Task RunRecoveryAsync(LoadOptions options, Target patient, Target gateway, LoadReport report)
    {
        var cells = new List<(Cell Cell, Target Target)>();
        if (options.Wants("recovery"))
        {
            cells.Add((new RecoveryCell(4, options.Quick ? 200 : 500), patient));
        }

        if (options.Wants("storm"))
        {
            cells.Add((new StormCell(1000), gateway));
        }

        foreach (var (cell, target) in cells)
        {
            await target.StartAsync();
            await WarmUpAsync(target);
            for (var round = 0; round < options.Rounds; round++)
            {
                report.Add(cell.Name, target.Name, round, await cell.RunAsync(target), null);
            }

            target.Stop();
            Note(cell.Name);
        }
    }

    private static async Task<CellResult> HoldAsync(Target target, int streams)
    {
        try
        {
            return await new MemoryCell(streams).RunAsync(target);
        }
        catch (Exception e) when (e is IOException or TimeoutException or InvalidOperationException or System.Net.Sockets.SocketException)
        {
            return new CellResult(new Dictionary<string, double>(), $"{streams} streams did not hold: {e.Message}");
        }
    }

    private static void Note(string what) => Console.Error.WriteLine($"[{DateTime.Now:HH:mm:ss}] {what}");
}
