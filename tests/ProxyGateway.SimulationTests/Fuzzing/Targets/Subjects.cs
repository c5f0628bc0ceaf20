using ProxyGateway.SimulationTests.Grid;
using ProxyGateway.StreamingFallback.ChatFormats;
using ProxyGateway.TestKit.Data;

namespace ProxyGateway.SimulationTests.Fuzzing.Targets;

/// <summary>What mutations start from: the grid's streams, and the recorded ones where they are there, as far as they are short.</summary>
internal static class Subjects
{
    private const int LongestStream = 6 * 1024;

    public static readonly IReadOnlyList<GridSubject> All = [.. GridFormats.Subjects(SharedData.Require()).Where(s => s.Stream.Bytes.Length <= LongestStream)];

    /// <summary>By format, so that formats with many streams get no more runs than the others.</summary>
    private static readonly IReadOnlyList<IReadOnlyList<GridSubject>> ByFormat = [.. All.GroupBy(s => s.Format.Name).Select(g => (IReadOnlyList<GridSubject>)[.. g])];

    private static readonly Dictionary<GridSubject, ChatRequest> Requests = All.ToDictionary(s => s, Read);

    public static GridSubject Pick(FuzzRandom random) => random.Pick(random.Pick(ByFormat));

    /// <summary>Another of the same format, to borrow from.</summary>
    public static GridSubject Donor(GridSubject subject, FuzzRandom random) =>
        random.OneIn(8) ? Pick(random) : random.Pick(ByFormat.First(f => f[0].Format == subject.Format));

    public static ChatFormat Format(GridSubject subject) => ChatFormatRegistry.Find(subject.Format.Name)!;

    public static ChatRequest Request(GridSubject subject) => Requests[subject];

    private static ChatRequest Read(GridSubject subject) =>
        Format(subject).ReadRequest(subject.Stream.Request, subject.Format.Target, out var request) is { } problem ? throw new InvalidOperationException(problem) : request;
}
