using System.Text;
using ProxyGateway.TestKit.Contract;

namespace ProxyGateway.SimulationTests.Grid;

/// <summary>What the grid must know of one chat format. A new format is one class of this and a line in <see cref="GridFormats"/>.</summary>
internal abstract class GridFormat
{
    /// <summary>The name in the configuration, known to <see cref="ContractFormats"/> too.</summary>
    public abstract string Name { get; }

    /// <summary>Path and query that clients post to.</summary>
    public abstract string Target { get; }

    /// <summary>An error event of an upstream, whole.</summary>
    public abstract byte[] ErrorEvent { get; }

    /// <summary>The body of an upstream's HTTP error.</summary>
    public abstract byte[] ErrorBody { get; }

    /// <summary>Own streams. Small: every combination is run for every byte of them.</summary>
    public abstract IEnumerable<GridStream> OwnStreams();

    /// <summary>A client's request that fits a recorded stream.</summary>
    public abstract byte[] RequestFor(byte[] stream);

    /// <summary>Whether a request asks for a stream.</summary>
    public virtual bool AsksForStream(byte[] request, string target) => ContractFormats.Get(Name).ReadRequest(request, target) is { Streaming: true };

    /// <summary>The streams of a recording that holds several.</summary>
    public virtual IEnumerable<byte[]> Split(byte[] recording) => [recording];

    /// <summary>Whether bytes end with a blank line, or with a comment's line, which is what a heartbeat may be.</summary>
    public virtual bool EndsEvent(ReadOnlySpan<byte> bytes)
    {
        if (bytes.IsEmpty)
        {
            return true;
        }

        var end = bytes.EndsWith("\r\n"u8) ? 2 : bytes[^1] is (byte)'\r' or (byte)'\n' ? 1 : 0;
        if (end == 0)
        {
            return false;
        }

        var before = bytes[..^end];
        var line = before[(before.LastIndexOfAny((byte)'\r', (byte)'\n') + 1)..];
        return line.IsEmpty || line[0] == (byte)':';
    }

    /// <summary>What is wrong with a flush that sent <paramref name="sent"/> last; null where nothing is.</summary>
    public virtual string? CheckFlush(GridStream stream, ReadOnlyMemory<byte> sent) => null;

    /// <summary>The non-streaming body that says what <paramref name="answer"/> holds; without its stop reasons if not <paramref name="finished"/>.</summary>
    public abstract byte[] WriteAnswer(GridStream stream, DecodedMessage answer, string id, bool finished);
}

/// <summary>One whole stream, to be cut.</summary>
/// <param name="Name">Short, for the coordinates of a case.</param>
/// <param name="Bytes">All of it.</param>
/// <param name="Request">What the client asked.</param>
internal sealed record GridStream(string Name, byte[] Bytes, byte[] Request)
{
    /// <summary>Null: no content type at all.</summary>
    public string? ContentType { get; init; } = "text/event-stream";

    public TerminalRule Terminal { get; init; }

    public int MaxEventBytes { get; init; } = 1024 * 1024;

    public int MaxDeliveredBytes { get; init; } = 1024 * 1024;

    /// <summary>Recorded streams are long: a few combinations for each cut.</summary>
    public bool Recorded { get; init; }

    /// <summary>The stream is not complete even where it is not cut.</summary>
    public bool IsBroken { get; init; }

    /// <summary>What was delivered of it cannot be joined, however equal the replay is.</summary>
    public bool CannotBeJoined { get; init; }

    /// <summary>Text that stands for the answer's id, to be replaced in a second run of the same answer; null where it has none.</summary>
    public string? Id { get; init; }

    /// <summary>The same stream with other line ends.</summary>
    public GridStream With(string lineEnd) =>
        this with { Bytes = Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(Bytes).Replace("\n", lineEnd, StringComparison.Ordinal)) };
}
