using System.Globalization;

namespace ProxyGateway.SimulationTests.Grid;

/// <summary>How the first attempt's stream ends at its cut.</summary>
internal enum StreamEnd
{
    Reset,
    Clean,
    Stall,

    /// <summary>Bytes that are no event, then the clean end.</summary>
    Garbage,

    /// <summary>The upstream's own error event, then the clean end.</summary>
    ErrorEvent,

    /// <summary>Bytes that are no event, then the rest of the stream as if nothing had been.</summary>
    GarbageInside,
    ClientLeaves,

    /// <summary>The upstream's own error event, and then the client leaves before the attempt is over.</summary>
    ErrorThenClientLeaves,

    /// <summary>The event in front of the cut a second time, then the rest.</summary>
    Doubled,

    /// <summary>The event behind the cut left out, then the rest.</summary>
    LeftOut,
}

/// <summary>What the attempts after the first give, or why there are none.</summary>
internal enum ReplayKind
{
    /// <summary>The same words, under the same or other ids.</summary>
    Equal,

    /// <summary>500 first, then the same words from the fallback cluster.</summary>
    EqualAtFallback,
    Diverging,
    OtherTools,
    Failing,
    Truncated,
    TruncatedThenEqual,

    /// <summary>A whole answer without its stop reason.</summary>
    Unfinished,
    ErrorBody,
    ClientError,

    /// <summary>429 with Retry-After, then the same words.</summary>
    RateLimited,

    /// <summary>The same words after 25 s.</summary>
    Slow,
    Silent,

    /// <summary>Broken off again; then the same words.</summary>
    CutAgain,

    /// <summary>An event stream in place of the whole answer that was asked for.</summary>
    EventStream,
    Refused,
    Empty,

    /// <summary>The route allows none: Replay Never.</summary>
    Never,

    /// <summary>The route allows one only before content.</summary>
    BeforeContent,

    /// <summary>The route allows none: not enabled.</summary>
    Disabled,

    /// <summary>The route allows none after content.</summary>
    Terminate,

    /// <summary>A stream that failed before content is answered as JSON.</summary>
    AsJson,

    /// <summary>A page of an intermediary under 200.</summary>
    Page,
}

/// <summary>One case, by its coordinates. What is left open (which divergence, which protocol) follows from them and the seed.</summary>
internal sealed record GridCase(GridSubject Subject, int Cut, StreamEnd End, ReplayKind Replay, int Chunk, int Seed)
{
    public const int Whole = int.MaxValue;

    /// <summary>Endings that differ from byte to byte.</summary>
    public static readonly StreamEnd[] Ends = [.. Enum.GetValues<StreamEnd>().Where(e => e < StreamEnd.ErrorThenClientLeaves)];

    /// <summary>Endings that only make sense between two events.</summary>
    public static readonly StreamEnd[] EndsBetweenEvents = [.. Enum.GetValues<StreamEnd>().Where(e => e >= StreamEnd.ErrorThenClientLeaves)];

    public static readonly ReplayKind[] Replays = Enum.GetValues<ReplayKind>();
    public static readonly int[] Chunks = [1, 7, Whole];

    /// <summary>Cases of each cut of a stream when every combination is run.</summary>
    public static int PerCut => Ends.Length * Replays.Length * Chunks.Length;

    /// <summary>The cases that each place between two events has beside them.</summary>
    public static int PerBoundary => EndsBetweenEvents.Length * Replays.Length * Chunks.Length;

    /// <summary>A number from the coordinates; <paramref name="salt"/> tells one open choice from another.</summary>
    public int Pick(int salt, int count)
    {
        // FNV-1a: the same in every process, unlike the hash codes of the runtime.
        var hash = 14695981039346656037UL;
        foreach (var c in Subject.Name)
        {
            hash = (hash ^ c) * 1099511628211UL;
        }

        foreach (var part in (ReadOnlySpan<int>)[Cut, (int)End, (int)Replay, Chunk, Seed, salt])
        {
            hash = (hash ^ (uint)part) * 1099511628211UL;
        }

        return (int)((hash >> 17) % (uint)count);
    }

    public override string ToString() =>
        $"{Subject.Name},{Cut},{End},{Replay},{(Chunk == Whole ? "whole" : Chunk.ToString(CultureInfo.InvariantCulture))},{Seed}";

    /// <summary>Reads what <see cref="ToString"/> wrote.</summary>
    public static GridCase Parse(string coordinates, IReadOnlyList<GridSubject> subjects)
    {
        var parts = coordinates.Split(',');
        return new GridCase(
            subjects.FirstOrDefault(s => s.Name == string.Join(',', parts[..^5])) ?? throw new ArgumentException($"There is no stream `{coordinates}`."),
            int.Parse(parts[^5], CultureInfo.InvariantCulture),
            Enum.Parse<StreamEnd>(parts[^4]),
            Enum.Parse<ReplayKind>(parts[^3]),
            parts[^2] == "whole" ? Whole : int.Parse(parts[^2], CultureInfo.InvariantCulture),
            int.Parse(parts[^1], CultureInfo.InvariantCulture));
    }
}
