using ProxyGateway.SimulationTests.Formats;
using ProxyGateway.TestKit.Contract;
using ProxyGateway.TestKit.Data;

namespace ProxyGateway.SimulationTests.Grid;

/// <summary>The formats of the grid and their streams.</summary>
internal static class GridFormats
{
    /// <summary>Beyond it a recorded stream says nothing that a shorter one does not say faster.</summary>
    private const int LongestRecording = 32 * 1024;

    public static readonly IReadOnlyList<GridFormat> All = 
    [
        new OpenAIChatGrid(), new AnthropicMessagesGrid(), new OpenAIResponsesGrid(), new OpenAICompletionsGrid(), new GeminiGrid(), new OllamaGrid(), new A2AGrid(),
    ];

    /// <summary>All streams; the recorded ones only where the third-party data is there.</summary>
    public static IReadOnlyList<GridSubject> Subjects(string? dataFolder)
    {
        var recorded = dataFolder is null ? [] : RecordedStreams.Load(dataFolder);
        List<GridSubject> subjects = [];
        foreach (var format in All)
        {
            subjects.AddRange(format.OwnStreams().Select(s => new GridSubject(format, s)));
            subjects.AddRange(Recordings(format, recorded, LongestRecording).Select(s => new GridSubject(format, s)));
        }

        return subjects;
    }

    /// <summary>The recorded streams of a format, up to a length.</summary>
    public static IEnumerable<GridStream> Recordings(GridFormat format, IReadOnlyList<RecordedStream> recorded, int longest) => recorded
        .Where(r => r.Format == format.Name)
        .SelectMany(r => format.Split(r.Bytes).Select(bytes => Stream(format, r.Name, bytes)))
        .Where(s => s.Bytes.Length <= longest);

    private static GridStream Stream(GridFormat format, string name, byte[] bytes)
    {
        var request = format.RequestFor(bytes);
        var reading = GridSubject.Read(format, bytes, request, TerminalRule.Either);
        return new GridStream("recorded:" + name.Replace(' ', '_'), bytes, request)
        {
            Recorded = true,
            IsBroken = !reading.CanBeComplete || reading.CanBeFailed,
            CannotBeJoined = !reading.CanBeComplete || reading.CanBeFailed,
            Id = reading.Events.Select(e => e.Id).FirstOrDefault(id => !string.IsNullOrEmpty(id)),
        };
    }
}
