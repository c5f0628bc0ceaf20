using System.Globalization;
using ProxyGateway.SimulationTests.Fuzzing.Targets;
using Xunit;

namespace ProxyGateway.SimulationTests.Fuzzing;

/// <summary>
/// Every piece that reads what others send, with inputs that know its grammar. A test run takes the same few thousand of each and a
/// second of new ones; <c>PROXYGATEWAY_FUZZ_RUNS</c> takes that many, beginning with <c>PROXYGATEWAY_FUZZ_FROM</c>, of
/// <c>PROXYGATEWAY_FUZZ_TARGET</c> or of all, <c>PROXYGATEWAY_FUZZ_SEED</c> others, <c>PROXYGATEWAY_FUZZ_CASE</c> one again.
/// </summary>
public sealed class FuzzTests
{
    private static readonly TimeSpan NewOnes = TimeSpan.FromSeconds(0.5);

    private static readonly Dictionary<string, FuzzTarget> All = new FuzzTarget[]
    {
        new EventStreamTarget(), new JsonLinesTarget(), new ReaderTarget(), new SpliceTarget(), new RelayTarget(), new RequestBodyTarget(), new ConfigurationTarget(),
    }.ToDictionary(t => t.Name);

    public static TheoryData<string> Targets => [.. All.Keys];

    [Theory]
    [MemberData(nameof(Targets))]
    public void AnyInput_IsTakenAsPromised(string name)
    {
        if (Variable("CASE") is { } coordinates)
        {
            Assert.SkipUnless(coordinates.StartsWith(name + "/", StringComparison.Ordinal), "The case is of another target.");
            var parts = coordinates.Split('/');
            Report(Run(name, ulong.Parse(parts[1], CultureInfo.InvariantCulture), long.Parse(parts[2], CultureInfo.InvariantCulture), 1));
            return;
        }

        Assert.SkipWhen(Variable("TARGET") is { } only && only != name, "Another target was asked for.");
        var seed = ulong.Parse(Variable("SEED") ?? "1", CultureInfo.InvariantCulture);
        if (Variable("RUNS") is { } runs)
        {
            Report(Run(name, seed, long.Parse(Variable("FROM") ?? "0", CultureInfo.InvariantCulture), long.Parse(runs, CultureInfo.InvariantCulture)));
            return;
        }

        Report(Run(name, seed, 0, All[name].ShortRuns));
        Report(Run(name, (ulong)Random.Shared.Next(), 0, long.MaxValue, NewOnes));
    }

    private static FuzzResult Run(string name, ulong seed, long from, long runs, TimeSpan? atMost = null)
    {
        using var run = new FuzzRun(All[name], seed);
        return run.Run(from, runs, atMost);
    }

    private static void Report(FuzzResult result)
    {
        Console.WriteLine(result);
        if (Environment.GetEnvironmentVariable("PROXYGATEWAY_FIGURES") is { Length: > 0 } file)
        {
            File.AppendAllText(file, $"fuzz {result}\n");
        }

        Assert.True(result.Failures.Count == 0, result.Describe());
    }

    private static string? Variable(string name) => Environment.GetEnvironmentVariable("PROXYGATEWAY_FUZZ_" + name) is { Length: > 0 } value ? value : null;
}
