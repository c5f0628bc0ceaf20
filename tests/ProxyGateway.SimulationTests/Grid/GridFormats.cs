using ProxyGateway.SimulationTests.Formats;
using ProxyGateway.TestKit.Contract;
using ProxyGateway.TestKit.Data;

namespace ProxyGateway.SimulationTests.Grid;

/// <summary>The formats of the grid and their streams.</summary>
internal static class GridFormats
{
    /// <summary>Beyond it a recorded stream says nothing that a shorter one does not say faster.</summary>
    private const int LongestRecording = 32 * 1024;

    private static readonly GridFormat[] All = [new OpenAIChatGrid()];

    /// <summary>All streams; the recorded ones only where the third-party data is there.</summary>
    public static IReadOnlyList<GridSubject> Subjects(string? dataFolder)
    {
        var recorded = dataFolder is null ? [] : RecordedStreams.Load(dataFolder);
        List<GridSubject> subjects = [];
        foreach (var format in All)
        {
            subjects.AddRange(format.OwnStreams().Select(s => new GridSubject(format, s)));
            subjects.AddRange(recorded
                .Where(r => r.Format == format.Name && r.Bytes.Length <= LongestRecording)
                .Select(r => new GridSubject(format, Stream(format, r))));
        }

        return subjects;
    }

    private static GridStream Stream(GridFormat format, RecordedStream recorded)
    {
        var request = format.RequestFor(recorded.Bytes);
        var reading = GridSubject.Read(format, recorded.Bytes, request, TerminalRule.Either);
        return new GridStream("recorded:" + recorded.Name.Replace(' ', '_'), recorded.Bytes, request)
        {
            Recorded = true,
            IsBroken = !reading.CanBeComplete || reading.CanBeFailed,
            CannotBeJoined = !reading.CanBeComplete || reading.CanBeFailed,
            Id = reading.Events.Select(e => e.Id).FirstOrDefault(id => !string.IsNullOrEmpty(id)),
        };
    }
}
