namespace ProxyGateway.TestKit.Contract;

/// <summary>What an event is, as far as the contract cares.</summary>
[Flags]
public enum EventTraits
{
    None = 0,

    /// <summary>Carries text, reasoning, refusal, a tool call or other output.</summary>
    Content = 1,

    /// <summary>Carries a stop reason.</summary>
    Finish = 2,

    /// <summary>The format's own last event.</summary>
    Done = 4,

    /// <summary>The format's error event.</summary>
    Error = 8,

    /// <summary>Carries usage.</summary>
    Usage = 16,

    /// <summary>No event of the format; never passed on.</summary>
    Malformed = 32,

    /// <summary>The contract leaves open whether it is passed on.</summary>
    Optional = 64,

    /// <summary>No data at all: a comment, an empty block, or lines no client knows.</summary>
    NoData = 128,

    /// <summary>A comment or a bare blank line, and no data.</summary>
    Comment = 256,

    /// <summary>Carries usage and no choice: the report at the end, rather than a running count.</summary>
    UsageReport = 512,

    /// <summary>Leaves only together with a later event without this trait; where the stream fails in between, it was never there.</summary>
    Held = 1024,

    /// <summary>An event of the format that is a heartbeat where a gateway sends it.</summary>
    Heartbeat = 2048,
}

/// <summary>Where a piece of an answer belongs.</summary>
public enum Channel
{
    Text,
    Reasoning,
    Refusal,
    Tool,

    /// <summary>Output that is content but is not compared (audio, annotations).</summary>
    Other,

    /// <summary>What other blocks stand in: an output item, a task.</summary>
    Frame,
}

/// <summary>One stretch of an answer: a choice's text, or one tool call; for formats with blocks the index is the block's.</summary>
public readonly record struct BlockKey(int Choice, Channel Channel, int Index) : IComparable<BlockKey>
{
    public int CompareTo(BlockKey other) => (Choice, Channel, Index).CompareTo((other.Choice, other.Channel, other.Index));

    public override string ToString() => $"choice {Choice} {Channel.ToString().ToLowerInvariant()} {Index}";
}

/// <summary>A piece of an answer as one event carries it.</summary>
/// <param name="Text">Decoded text, or a tool call's arguments.</param>
/// <param name="FreeText">The arguments are free text and need not parse.</param>
/// <param name="Kind">What the format calls the block, where it has several kinds of one channel.</param>
/// <param name="Raw">JSON that belongs to the block beside its text (a signature, a citation, the whole of a block that has no text).</param>
public sealed record ContractPart(BlockKey Block, string Text, string? ToolId = null, string? ToolName = null, bool FreeText = false, string? Kind = null, string? Raw = null);

/// <summary>An event that the events before it do not allow.</summary>
/// <param name="Rule">The rule of the contract that a gateway breaks by it.</param>
/// <param name="Text">What is wrong.</param>
/// <param name="IsFault">The same from an upstream is a fault: clients would lose what they have, or execute half a call.</param>
public sealed record GrammarProblem(int Rule, string Text, bool IsFault);

/// <summary>One decoded event.</summary>
public sealed class ContractEvent
{
    public required ReadOnlyMemory<byte> Raw { get; init; }

    public EventTraits Traits { get; init; }

    public string? Id { get; init; }

    public string? Model { get; init; }

    public long? Created { get; init; }

    public IReadOnlyList<ContractPart> Parts { get; init; } = [];

    /// <summary>Choices whose role the event names.</summary>
    public IReadOnlyList<int> Roles { get; init; } = [];

    public IReadOnlyList<(int Choice, string Reason)> Finishes { get; init; } = [];

    /// <summary>What the events before this one say against it; null where nothing.</summary>
    public GrammarProblem? Problem { get; init; }

    public bool Is(EventTraits traits) => (Traits & traits) != 0;

    /// <summary>The same event, which a gateway may also leave out.</summary>
    public ContractEvent AsOptional(ReadOnlyMemory<byte>? raw = null) => new()
    {
        Raw = raw ?? Raw,
        Traits = Traits | EventTraits.Optional,
        Id = Id,
        Model = Model,
        Created = Created,
        Parts = Parts,
        Roles = Roles,
        Finishes = Finishes,
        Problem = Problem,
    };
}
