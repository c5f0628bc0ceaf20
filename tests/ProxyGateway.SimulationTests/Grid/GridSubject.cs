using System.Text;
using ProxyGateway.TestKit.Contract;

namespace ProxyGateway.SimulationTests.Grid;

/// <summary>A stream of the grid with all answers that replays may give to it, made once.</summary>
internal sealed class GridSubject
{
    private const string OtherId = "second-run";

    public GridSubject(GridFormat format, GridStream stream)
    {
        Format = format;
        Stream = stream;
        Boundaries = EventEnds(ContractFormats.Get(format.Name), stream.Bytes);
        var whole = Whole(format, stream);
        var id = stream.Id ?? "made";
        Answer = format.WriteAnswer(stream, whole, id, finished: true);
        IsReplayable = ContractFormats.Get(format.Name).ReadAnswer(Answer) is not null;
        OtherAnswer = format.WriteAnswer(stream, AnswerChanges.WithOtherToolIds(whole), OtherId, finished: true);
        Unfinished = format.WriteAnswer(stream, whole, OtherId, finished: false);
        Diverging = [.. AnswerChanges.OfText(whole).Select(a => format.WriteAnswer(stream, a, OtherId, finished: true))];
        OtherTools = [.. AnswerChanges.OfTools(whole).Select(a => format.WriteAnswer(stream, a, OtherId, finished: true))];
        OtherStream = stream.Id is null ? stream.Bytes : Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(stream.Bytes).Replace(stream.Id, OtherId, StringComparison.Ordinal));
    }

    /// <summary>Where its events end; the first is its beginning.</summary>
    public IReadOnlyList<int> Boundaries { get; }

    public GridFormat Format { get; }

    public GridStream Stream { get; }

    public string Name => $"{Format.Name}/{Stream.Name}";

    /// <summary>The whole answer, non-streaming, under the stream's own ids.</summary>
    public byte[] Answer { get; }

    /// <summary>Whether the stream says what a whole answer can say too.</summary>
    public bool IsReplayable { get; }

    /// <summary>The same words under other ids, as a second run of the request gives them.</summary>
    public byte[] OtherAnswer { get; }

    /// <summary>The whole answer without its stop reason.</summary>
    public byte[] Unfinished { get; }

    /// <summary>Answers whose text differs somewhere; none where there is no text.</summary>
    public IReadOnlyList<byte[]> Diverging { get; }

    /// <summary>Answers whose tool calls differ; none where there are no tool calls.</summary>
    public IReadOnlyList<byte[]> OtherTools { get; }

    /// <summary>The whole stream under another id.</summary>
    public byte[] OtherStream { get; }

    public static AttemptReading Read(GridFormat format, byte[] stream, byte[] request, TerminalRule terminal, ContractLimits? limits = null)
    {
        var contract = ContractFormats.Get(format.Name);
        var record = new AttemptRecord { ContentType = contract.StreamContentType, Body = stream, Terminal = terminal };
        return AttemptReading.Read(record, contract, contract.ReadRequest(request, format.Target)!, limits);
    }

    private static List<int> EventEnds(IContractFormat format, byte[] stream)
    {
        List<int> ends = [0];
        while (format.TryReadBlock(stream.AsMemory(ends[^1]), isStart: ends.Count == 1, out var block))
        {
            ends.Add(ends[^1] + block.Raw.Length);
        }

        return ends;
    }

    private static DecodedMessage Whole(GridFormat format, GridStream stream)
    {
        var whole = new DecodedMessage();
        Read(format, stream.Bytes, stream.Request, stream.Terminal).Events.ForEach(whole.Append);
        return whole;
    }
}
