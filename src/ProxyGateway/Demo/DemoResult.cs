using ProxyGateway.DemoAgents;

namespace ProxyGateway.Demo;

/// <summary>One request of the demo as it went, and how it reads in the table.</summary>
internal sealed record DemoResult(DemoCase Case, ClientAnswer Answer, DemoVerdict Verdict, IReadOnlyList<DemoCall> Calls)
{
    public bool Kept => Verdict.Keeps(Case, Calls);

    /// <summary>Whether an agent failed and the answer arrived whole nevertheless.</summary>
    public bool Recovered => Verdict.Ending == DemoEnding.Complete && Calls.Any(call => call.Outcome != DemoCallOutcome.Answered);

    /// <summary>One line per table cell line.</summary>
    public string[] AgentLines => Calls.Count == 0 ? ["no agent was asked"] : [.. Calls.Select(Describe)];

    public string[] ClientLines => Verdict.Ending switch
    {
        DemoEnding.Complete => [$"complete: {Amount}", HowComplete()],
        DemoEnding.Terminated => [$"terminated after {Amount}", $"error event: {Answer.Error}"],
        DemoEnding.HttpError => [$"HTTP {Answer.Status} {Answer.Error}"],
        _ => ["BROKEN: " + Amount, .. Verdict.Flaws],
    };

    public string[] HeaderLines =>
    [
        "cluster " + (Answer.Cluster ?? "-"),
        "attempts " + (Answer.Attempts ?? "-"),
        "recovery " + (Answer.Recovery ?? "-"),
    ];

    private string Amount => Answer.ToolArguments.Length > 0 ? "a tool call" : $"{Answer.Tokens} tokens";

    // The headers tell what was known at commit, which is before a mid-stream failure; the agents know the rest.
    private string HowComplete()
    {
        var byFallback = Calls.Count > 0 && Calls[^1].Agent != Case.Cluster;
        return (Recovered, byFallback) switch
        {
            (true, true) => "recovered by fallback",
            (true, false) => "recovered by replay",
            (false, true) => $"answered by {Calls[^1].Agent} alone",
            (false, false) => "untouched",
        };
    }

    private static string Describe(DemoCall call)
    {
        var events = $"{call.ContentEventsSent} {(call.Behavior.Kind == DemoBehaviorKind.Tool ? "pieces" : "tokens")}";
        return call.Agent + ": " + (call.Outcome, call.Streaming) switch
        {
            (DemoCallOutcome.Answered, true) => "streamed its whole answer",
            (DemoCallOutcome.Answered, false) => call.OtherText ? "replayed another text" : "answered the replay",
            (DemoCallOutcome.Refused, _) => "refused with 503",
            (DemoCallOutcome.Reset, true) => $"reset after {events}",
            (DemoCallOutcome.EndedWithoutTerminal, true) => $"ended after {events}",
            (DemoCallOutcome.CutInsideEvent, true) => $"died inside an event, {events}",
            (DemoCallOutcome.Stalled, true) => $"silent after {events}",
            (DemoCallOutcome.ErrorEvent, true) => $"error event after {events}",
            (DemoCallOutcome.ClientGone, true) => $"left by the gateway, {events}",
            (DemoCallOutcome.ClientGone, false) => "left by the gateway",
            (DemoCallOutcome.InProgress, _) => $"still busy, {events}",
            _ => "died in the replay",
        };
    }
}
