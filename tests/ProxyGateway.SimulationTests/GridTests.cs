using System.Globalization;
using System.Text;
using ProxyGateway.SimulationTests.Grid;
using ProxyGateway.TestKit.Contract;
using ProxyGateway.TestKit.Data;
using Xunit;

namespace ProxyGateway.SimulationTests;

/// <summary>
/// Every stream of every format cut at every byte, ended in every way, recovered in every way, in every chunking: no case may
/// break the stream contract. A test run takes a seeded part of it; <c>PROXYGATEWAY_GRID=full</c> takes all,
/// <c>PROXYGATEWAY_GRID=</c> and a number that many of each format, <c>PROXYGATEWAY_GRID_FORMAT</c> one format,
/// <c>PROXYGATEWAY_GRID_SEED</c> another part, <c>PROXYGATEWAY_GRID_CASE</c> one case.
/// </summary>
public sealed class GridTests
{
    private const int PartOfTestRun = 12_000;

    private static readonly IReadOnlyList<GridSubject> Subjects = GridFormats.Subjects(SharedData.Require());

    public static TheoryData<string> Formats => [.. GridFormats.All.Select(f => f.Name)];

    [Theory]
    [MemberData(nameof(Formats))]
    public void Grid_NoCaseBreaksTheContract(string format)
    {
        var seed = int.TryParse(Environment.GetEnvironmentVariable("PROXYGATEWAY_GRID_SEED"), CultureInfo.InvariantCulture, out var given) ? given : 1;
        var only = Environment.GetEnvironmentVariable("PROXYGATEWAY_GRID_FORMAT");
        Assert.SkipWhen(!string.IsNullOrEmpty(only) && only != format, "Another format was asked for.");
        if (Environment.GetEnvironmentVariable("PROXYGATEWAY_GRID_CASE") is { Length: > 0 } coordinates)
        {
            Assert.SkipUnless(coordinates.StartsWith(format + "/", StringComparison.Ordinal), "The case is of another format.");
            RunOne(coordinates);
            return;
        }

        var subjects = Subjects.Where(s => s.Format.Name == format).ToList();
        var result = Environment.GetEnvironmentVariable("PROXYGATEWAY_GRID") switch
        {
            "full" => GridRun.Full(subjects, seed),
            var size => GridRun.Sample(subjects, seed, long.TryParse(size, CultureInfo.InvariantCulture, out var count) ? count : PartOfTestRun),
        };
        Console.WriteLine($"grid of {format}: {subjects.Count} streams, {result}, seed {seed}");
        Assert.True(result.Failed == 0, Describe(result));
    }

    [Fact]
    public void Coordinates_LeadBackToTheCase()
    {
        var @case = new GridCase(Subjects[^1], 3, StreamEnd.Stall, ReplayKind.Slow, GridCase.Whole, 7);
        Assert.Equal(@case, GridCase.Parse(@case.ToString(), Subjects));
    }

    [Fact]
    public void OwnStreams_AreCompleteUnlessTheySayOtherwise()
    {
        List<string> wrong = [];
        foreach (var (format, stream) in Subjects.Where(s => !s.Stream.Name.StartsWith("recorded:", StringComparison.Ordinal)).Select(s => (s.Format, s.Stream)))
        {
            var limits = new ContractLimits { MaxEventBytes = stream.MaxEventBytes };
            if (GridSubject.Read(format, stream.Bytes, stream.Request, stream.Terminal, limits).CanBeComplete == stream.IsBroken)
            {
                wrong.Add($"{format.Name}/{stream.Name}");
            }
        }

        Assert.True(wrong.Count == 0, string.Join(", ", wrong));
    }

    private static void RunOne(string coordinates)
    {
        using var exchange = new GridExchange();
        var (transcript, violations) = exchange.Run(GridCase.Parse(coordinates, Subjects));
        Console.WriteLine(Describe(transcript));
        Console.WriteLine(violations.Count == 0 ? "no violation" : string.Join('\n', violations));
        Assert.Empty(violations);
    }

    private static string Describe(GridResult result)
    {
        var text = new StringBuilder().AppendLine(CultureInfo.InvariantCulture, $"{result}");
        foreach (var (kind, count) in result.Kinds.OrderByDescending(k => k.Value))
        {
            text.AppendLine(CultureInfo.InvariantCulture, $"  {count} × {kind}");
        }

        text.AppendLine("Run one again with PROXYGATEWAY_GRID_CASE=");
        foreach (var failure in result.Failures)
        {
            text.AppendLine(CultureInfo.InvariantCulture, $"  {failure}");
        }

        return text.ToString();
    }

    private static string Describe(Transcript transcript)
    {
        var text = new StringBuilder();
        foreach (var attempt in transcript.Attempts)
        {
            text.AppendLine(CultureInfo.InvariantCulture, $"--- {attempt.Kind} at {attempt.Cluster}: {attempt.Status} {attempt.ContentType}, {attempt.Ending}");
            text.AppendLine(Encoding.UTF8.GetString(attempt.Body));
        }

        var client = transcript.Client;
        text.AppendLine(CultureInfo.InvariantCulture, $"=== client: {client.Status} {client.ContentType}, {client.Ending}");
        return text.AppendLine(Encoding.UTF8.GetString(client.Body)).ToString();
    }
}
