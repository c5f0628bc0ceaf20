namespace ProxyGateway.Demo;

/// <summary>
/// The <c>demo</c> verb: embedded agents that fail, the gateway in front of them, a few requests through it, and a
/// table of what was cut and what the client got.
/// </summary>
/// <param name="startGateway">Starts the gateway in this process from a configuration; gives its real addresses.</param>
internal sealed class DemoCommand(
    Func<IReadOnlyDictionary<string, string?>, CancellationToken, Task<DemoGateway>> startGateway,
    TextWriter output)
{
    private static readonly TimeSpan s_tokenDelay = TimeSpan.FromMilliseconds(10);

    /// <summary>Where the demo's proxy listens.</summary>
    public string Listen { get; init; } = "http://127.0.0.1:0";

    /// <summary>What is sent; all of it by default.</summary>
    public IReadOnlyList<DemoCase> Cases { get; init; } = DemoCase.All;

    /// <summary>Runs the demo.</summary>
    /// <param name="once">Ends after the requests, instead of serving until cancelled.</param>
    /// <returns>0 where every request ended as promised, else 1.</returns>
    public async Task<int> RunAsync(bool once, CancellationToken cancellationToken)
    {
        await using var fleet = await DemoFleet.StartAsync(s_tokenDelay, cancellationToken);
        var (proxy, management, gateway) = await startGateway(DemoConfiguration.For(fleet, Listen), cancellationToken);
        await using (gateway)
        {
            List<DemoResult> results = [];
            try
            {
                await SendAllAsync(fleet, proxy, results, cancellationToken);
                WriteSummary(results);
                if (!once)
                {
                    WriteInvitation(proxy, management);
                    await Task.Delay(Timeout.InfiniteTimeSpan, cancellationToken);
                }
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                // Ctrl+C ends the demo; what was shown until then stands.
            }

            var allSent = results.Count == Cases.Count;
            return results.All(result => result.Kept) && (allSent || !once) ? 0 : 1;
        }
    }

    private async Task SendAllAsync(DemoFleet fleet, Uri proxy, List<DemoResult> results, CancellationToken cancellationToken)
    {
        using var client = new DemoClient();
        var table = new DemoTable(output);
        output.WriteLine($"The gateway listens on {proxy.GetLeftPart(UriPartial.Authority)}; behind it {fleet.Agents.Count} demo agents, most of which fail on purpose.");
        output.WriteLine();
        table.WriteHeader();
        foreach (var demoCase in Cases)
        {
            // Straight from an agent, so that the measure owes nothing to the gateway.
            var (text, toolArguments) = await client.ReferenceAsync(
                fleet.Agents[DemoFleet.Dying].Address, demoCase.ReferenceModel, demoCase.Prompt, cancellationToken);
            fleet.TakeCalls();

            var answer = await client.StreamAsync(proxy, demoCase.Model, demoCase.Prompt, cancellationToken);
            var result = new DemoResult(demoCase, answer, DemoVerdict.Judge(answer, text, toolArguments), fleet.TakeCalls());
            results.Add(result);
            table.Write(result);
        }
    }

    private void WriteSummary(List<DemoResult> results)
    {
        var kept = results.Count(result => result.Kept);
        var recovered = results.Count(result => result.Recovered);
        var terminated = results.Count(result => result.Verdict.Ending == DemoEnding.Terminated);
        var broken = results.Count(result => result.Verdict.Ending == DemoEnding.Broken);
        output.WriteLine();
        output.WriteLine(
            $"{kept} of {results.Count} promises kept. {recovered} answers arrived whole although an agent failed, "
            + $"{terminated} ended with an error that a client notices, {broken} ended silently or otherwise broken.");
    }

    private void WriteInvitation(Uri proxy, Uri management)
    {
        output.WriteLine();
        output.WriteLine("Try it (models: demo-good, demo-reset-12, demo-clean-12, demo-half-12, demo-stall-12, demo-refuse, demo-slow-5000, demo-error-12, demo-diverge-12, demo-tool-12, demo-broken):");
        output.WriteLine();
        output.WriteLine($"  curl -N {DemoClient.Endpoint(proxy)} -H 'Content-Type: application/json' -d '{DemoClient.RequestBody("demo-reset-12", "Tell me a story", stream: true)}'");
        output.WriteLine();
        output.WriteLine($"Watch it: the status page is at {management.GetLeftPart(UriPartial.Authority)}/, what Prometheus scrapes at {management.GetLeftPart(UriPartial.Authority)}/metrics.");
        output.WriteLine();
        output.WriteLine("Ctrl+C ends the demo.");
        output.Flush();
    }
}

/// <summary>A gateway that runs in this process, and where it really listens.</summary>
internal sealed record DemoGateway(Uri Proxy, Uri Management, IAsyncDisposable Lifetime);
