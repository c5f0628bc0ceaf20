using ProxyGateway.DemoAgents;

namespace ProxyGateway.Demo;

/// <summary>What a client's answer amounts to.</summary>
internal enum DemoEnding
{
    /// <summary>The whole text, ended by the format's terminal and the proper end of the body.</summary>
    Complete,

    /// <summary>A part of the text, then the error event, and a body without its end.</summary>
    Terminated,

    /// <summary>An HTTP error instead of a stream.</summary>
    HttpError,

    /// <summary>Anything else: what the gateway exists to prevent.</summary>
    Broken,
}

/// <summary>Judges answers by their text and their ending alone; knows nothing of what was promised.</summary>
/// <param name="Flaws">Why a <see cref="DemoEnding.Broken"/> answer is neither complete nor terminated.</param>
internal sealed record DemoVerdict(DemoEnding Ending, IReadOnlyList<string> Flaws)
{
    public static DemoVerdict Judge(ClientAnswer answer, string text, string toolArguments)
    {
        if (answer.Status is not 200)
        {
            return new(answer.Status is 0 ? DemoEnding.Broken : DemoEnding.HttpError, answer.Status is 0 ? ["no answer"] : []);
        }

        var flaws = answer.Error is null ? FlawsOfComplete(answer, text, toolArguments) : FlawsOfTerminated(answer, text, toolArguments);
        return flaws.Count > 0 ? new(DemoEnding.Broken, flaws) : new(answer.Error is null ? DemoEnding.Complete : DemoEnding.Terminated, []);
    }

    /// <summary>Whether the case ended as promised, and an agent failed where the case is about a failing agent.</summary>
    public bool Keeps(DemoCase promised, IReadOnlyList<DemoCall> calls) =>
        Ending == (promised.Promise == DemoPromise.Complete ? DemoEnding.Complete : DemoEnding.Terminated)
        && (!promised.MustFail || calls.Any(call => call.Outcome != DemoCallOutcome.Answered));

    private static List<string> FlawsOfComplete(ClientAnswer answer, string text, string toolArguments)
    {
        var flaws = CommonFlaws(answer);
        AddIf(flaws, answer.Text != text, answer.Text.Length < text.Length ? "text is not whole" : "text differs");
        AddIf(flaws, answer.ToolArguments != toolArguments, "tool arguments differ");
        AddIf(flaws, answer.FinishReasons != 1, $"{answer.FinishReasons} finish reasons");
        AddIf(flaws, answer.DoneMarkers != 1, $"{answer.DoneMarkers} [DONE]");
        AddIf(flaws, answer.Roles != 1, $"{answer.Roles} roles");
        AddIf(flaws, answer.Ids != 1, $"{answer.Ids} ids");
        AddIf(flaws, !answer.BodyTerminated, "connection died");
        return flaws;
    }

    private static List<string> FlawsOfTerminated(ClientAnswer answer, string text, string toolArguments)
    {
        var flaws = CommonFlaws(answer);
        AddIf(flaws, !text.StartsWith(answer.Text, StringComparison.Ordinal), "text differs");
        AddIf(flaws, !toolArguments.StartsWith(answer.ToolArguments, StringComparison.Ordinal), "tool arguments differ");
        AddIf(flaws, answer.FinishReasons + answer.DoneMarkers > 0, "looks finished after an error event");
        AddIf(flaws, answer.BodyTerminated, "clean end after an error event");
        return flaws;
    }

    private static List<string> CommonFlaws(ClientAnswer answer)
    {
        List<string> flaws = [];
        AddIf(flaws, answer.TimedOut, "never ended");
        AddIf(flaws, answer.BrokenEvents > 0, $"{answer.BrokenEvents} broken events");
        return flaws;
    }

    private static void AddIf(List<string> flaws, bool condition, string flaw)
    {
        if (condition)
        {
            flaws.Add(flaw);
        }
    }
}
