namespace ProxyGateway.DemoAgents;

/// <summary>How a call ended, seen from the agent. Set before the ending is put on the wire.</summary>
public enum DemoCallOutcome
{
    InProgress,
    Answered,
    Reset,
    EndedWithoutTerminal,
    CutInsideEvent,
    Stalled,
    Refused,
    ErrorEvent,
    ClientGone,
}

/// <summary>One chat request and what the agent really did with it.</summary>
public sealed class DemoCall
{
    private volatile int _contentEventsSent;
    private volatile DemoCallOutcome _outcome;

    internal DemoCall(string agent, bool streaming, string? model, DemoBehavior behavior)
    {
        Agent = agent;
        Streaming = streaming;
        Model = model;
        Behavior = behavior;
    }

    public string Agent { get; }

    public bool Streaming { get; }

    public string? Model { get; }

    public DemoBehavior Behavior { get; }

    /// <summary>Whether the text is another than the one that the request has by rights.</summary>
    public bool OtherText => !Streaming && Behavior.Kind == DemoBehaviorKind.Diverge;

    /// <summary>Whole content events handed to the connection (streaming only).</summary>
    public int ContentEventsSent
    {
        get => _contentEventsSent;
        internal set => _contentEventsSent = value;
    }

    public DemoCallOutcome Outcome
    {
        get => _outcome;
        internal set => _outcome = value;
    }
}
