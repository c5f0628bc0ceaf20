using ProxyGateway.TestKit.Chats;
using ProxyGateway.TestKit.Contract;
using static ProxyGateway.TestKit.Chats.ResponseStream;
using static ProxyGateway.Tests.TestKit.Formats.FormatTranscript;

namespace ProxyGateway.Tests.TestKit.Formats;

internal static class ResponsesTranscripts
{
    private const string Msg = "msg_0_run1";
    private static readonly FormatTranscript R = new("openai-responses", Request(), ResponseStream.ErrorBody);
    private static readonly string[] Events = [.. Message(0, "output_text", "Hel", "lo")];
    private static readonly string Hello = WholeMessage(0, "output_text", "Hello");

    /// <summary>Up to the first delta.</summary>
    private static readonly string[] Hel = [Created(), Events[0], Events[1], Events[2]];
    private static readonly string[] End = [.. Events[4..], Completed(Hello)];
    private static readonly AttemptRecord Cut = R.Cut(Numbered(Hel));
    private static readonly AttemptRecord Answer = Replay(Whole("run2", "completed", WholeMessage(0, "output_text", "Hello").Replace("run1", "run2", StringComparison.Ordinal)));
    private static readonly string[] Call = [Created(), .. ResponseStream.Call(0, "get", "{\"city\":\"Pa", "ris\"}")];
    private static readonly AttemptRecord CallCut = R.Cut(Numbered(Call[..3]));
    private static readonly AttemptRecord CallAnswer = Replay(Whole("run2", "completed", CallItem("fc_9", "call_9", "get", "{\"city\":\"Paris\"}")));
    private static readonly string WholeGet = WholeCall(0, "get", "{\"city\":\"Paris\"}");

    private static readonly string Error =
        "event: error\ndata: {\"type\":\"error\",\"sequence_number\":#,\"code\":\"server_error\",\"message\":\"m\",\"param\":null,\"error\":{\"type\":\"server_error\",\"code\":\"server_error\",\"message\":\"m\",\"param\":null}}\n\n";

    private static string Failed(string id = Id) =>
        "event: response.failed\n" + Event("response.failed", Response("failed", id: id, more: ",\"error\":{\"code\":\"server_error\",\"message\":\"m\"}"));

    /// <summary>A delta without text for what is open.</summary>
    private static readonly string Beat = Delta("output_text", 0, Msg, "");

    public static IEnumerable<TranscriptCase> Good()
    {
        byte[] whole = Numbered([Created(), InProgress(), .. Reasoning(0, "Hm"), .. Message(1, "output_text", "Hi"), .. ResponseStream.Call(2, "get", "{}"),
            Completed(WholeReasoning(0, "Hm") + "," + WholeMessage(1, "output_text", "Hi") + "," + WholeCall(2, "get", "{}"))]);
        yield return R.Good("healthy", Got(whole), R.Whole(whole));
        yield return R.Good("healthy with an end marker", Got([.. whole, .. Chat.Bytes(ResponseStream.Done)]), R.Whole([.. whole, .. Chat.Bytes(ResponseStream.Done)]));
        yield return R.Good("spliced", Got(Numbered([.. Hel, Events[3], .. End])), Cut, Answer);
        yield return R.Good("spliced after heartbeats", Got(Numbered([.. Hel, Beat, Beat, Events[3], .. End])), R.Cut(Numbered(Hel)) with { Ending = AttemptEnding.Stalled }, Answer);
        yield return R.Good("ends that waited are said again", Got(Numbered([.. Hel, Events[3], .. End])), R.Cut(Numbered([.. Hel, Events[3], Events[4], Events[5]])), Answer);
        yield return R.Good("spliced inside a call", Got(Numbered([.. Call, Completed(WholeGet)])), CallCut, CallAnswer);
        yield return R.Good("made of a replay", Got(Numbered([Created("run2"), .. Events.Select(e => e.Replace("run1", "run2", StringComparison.Ordinal)), Completed(Hello.Replace("run1", "run2", StringComparison.Ordinal), id: "run2")])), R.Cut(Numbered([Created()])), Answer);
        yield return R.Good("terminated", Loud(Numbered([.. Hel, Error, Failed()])), Cut, R.Failed());
        yield return R.Good("terminated after a heartbeat", Loud(Numbered([.. Hel, Beat, Error, Failed()])), Cut, R.Failed());
        yield return R.Good("terminated before anything was said", Loud([.. Chat.Bytes(": keepalive\n"), .. Numbered([Error, Failed("gateway")])]), R.Cut(Numbered([Created()])) with { Ending = AttemptEnding.Stalled }, R.Failed());
        yield return R.Good("half a call of the upstream", Loud(Numbered([.. Call[..3], Error, Failed()])), R.Whole(Numbered([.. Call[..3], ItemDone(0, CallItem("fc_0_run1", "call_0", "get", "{\"city\":\"Pa")), Completed("")])), R.Failed());
        yield return R.Good("everything failed", new ClientRecord { Status = 502, Body = ResponseStream.ErrorBody }, R.Cut(Numbered([Created()])), R.Failed());
    }

    public static IEnumerable<TranscriptCase> Bad() => [.. Grammar(), .. Agreement(), .. Wire()];

    private static IEnumerable<TranscriptCase> Grammar()
    {
        yield return R.Bad(6, "a number left out", Got([.. Numbered(Hel), .. Numbered([Events[3], .. End], 5)]), Cut, Answer);
        yield return R.Bad(6, "numbers begin again", Got([.. Numbered(Hel), .. Numbered([Events[3], .. End], 0)]), Cut, Answer);
        yield return R.Bad(6, "a number twice", Got([.. Numbered(Hel), .. Numbered([Events[3], .. End], 3)]), Cut, Answer);
        yield return R.Bad(6, "no number", Got(Numbered([.. Hel, Events[3].Replace("\"sequence_number\":#,", "", StringComparison.Ordinal), .. End], 0)), Cut, Answer);
        yield return R.Bad(6, "another item id in a delta", Got(Numbered([.. Hel, Events[3].Replace(Msg, "msg_x", StringComparison.Ordinal), .. End])), Cut, Answer);
        yield return R.Bad(6, "another item id at the item's end", Got(Numbered([.. Hel, Events[3], Events[4], Events[5], Events[6].Replace(Msg, "msg_x", StringComparison.Ordinal), End[^1]])), Cut, Answer);
        yield return R.Bad(6, "another call id", Got(Numbered([.. Call[..^1], Call[^1].Replace("call_0", "call_9", StringComparison.Ordinal), Completed(WholeGet)])), CallCut, CallAnswer);
        yield return R.Bad(6, "another response id at the end", Got(Numbered([.. Hel, Events[3], .. Events[4..], Completed(Hello, id: "run2")])), Cut, Answer);
        yield return R.Bad(6, "response.created twice", Got(Numbered([.. Hel, Created(), Events[3], .. End])), Cut, Answer);
        yield return R.Bad(6, "the item added twice", Got(Numbered([.. Hel, Events[0], Events[3], .. End])), Cut, Answer);
        yield return R.Bad(6, "the part added twice", Got(Numbered([.. Hel, Events[1], Events[3], .. End])), Cut, Answer);
        yield return R.Bad(6, "an item index left out", Got(Numbered([.. Hel, Events[3], .. Events[4..], .. Message(2, "output_text", "!"), Completed(Hello + "," + WholeMessage(2, "output_text", "!"))])), Cut, Answer);
        yield return R.Bad(6, "a delta into an item that is done", Got(Numbered([.. Hel, .. Events[4..].Select(Shorter), Events[3], Completed(Hello)])), Cut, Answer);
        yield return R.Bad(6, "a delta of an item that was not added", Got(Numbered([.. Hel, Delta("output_text", 1, "msg_1", "lo"), .. End])), Cut, Answer);
        yield return R.Bad(6, "a delta of a part whose text is done", Got(Numbered([.. Hel, Shorter(Events[4]), Events[3], Events[5], Events[6], End[^1]])), Cut, Answer);
        yield return R.Bad(6, "a part not closed", Got(Numbered([.. Hel, Events[3], Events[4], Events[6], End[^1]])), Cut, Answer);
        yield return R.Bad(6, "an item not closed", Got(Numbered([.. Hel, Events[3], Events[4], Events[5], End[^1]])), Cut, Answer);
        yield return R.Bad(6, "a stream made without response.created", Got(Numbered([InProgress("run2"), .. Events, Completed(Hello, id: "run2")])), R.Cut(Numbered([Created()])), Answer);
        yield return R.Bad(6, "no usage", Got(Numbered([.. Hel, Events[3], .. Events[4..], Event("response.completed", Response("completed", Hello))])), Cut, Answer);
    }

    private static IEnumerable<TranscriptCase> Agreement()
    {
        yield return R.Bad(5, "the text's end is the rest alone", Got(Numbered([.. Hel, Events[3], Events[4].Replace("Hello", "lo", StringComparison.Ordinal), Events[5], Events[6], End[^1]])), Cut, Answer);
        yield return R.Bad(5, "the part's end lacks what was delivered", Got(Numbered([.. Hel, Events[3], Events[4], Events[5].Replace("Hello", "lo", StringComparison.Ordinal), Events[6], End[^1]])), Cut, Answer);
        yield return R.Bad(5, "the item's end lacks what was delivered", Got(Numbered([.. Hel, Events[3], Events[4], Events[5], Events[6].Replace("Hello", "lo", StringComparison.Ordinal), End[^1]])), Cut, Answer);
        yield return R.Bad(5, "the final response lacks what was delivered", Got(Numbered([.. Hel, Events[3], .. Events[4..], Completed(Hello.Replace("Hello", "lo", StringComparison.Ordinal))])), Cut, Answer);
        yield return R.Bad(5, "the final response has no output", Got(Numbered([.. Hel, Events[3], .. Events[4..], Completed("")])), Cut, Answer);
        yield return R.Bad(5, "the final response has the replay's item id", Got(Numbered([.. Hel, Events[3], .. Events[4..], Completed(Hello.Replace(Msg, "msg_0_run2", StringComparison.Ordinal))])), Cut, Answer);
        yield return R.Bad(5, "the replay diverges and is appended", Got(Numbered([.. Hel, Events[3].Replace("\"lo\"", "\"p\"", StringComparison.Ordinal), .. End.Select(e => e.Replace("Hello", "Help", StringComparison.Ordinal))])), Cut, Answer);
        yield return R.Bad(5, "an item of the replay forgotten", Got(Numbered([.. Hel, Events[3], .. End])), Cut, Replay(Whole("run2", "completed", Hello, WholeMessage(1, "output_text", "!"))));
        yield return R.Bad(5, "appended, then terminated", Loud(Numbered([.. Hel, Events[3], Error, Failed()])), Cut, Answer);
        yield return R.Bad(7, "other arguments", Got(Numbered([.. Call.Select(Elsewhere), Completed(Elsewhere(WholeGet))])), CallCut, CallAnswer);
        yield return R.Bad(7, "the end of a call is not what its pieces say", Got(Numbered([.. Call[..3], Call[3], Elsewhere(Call[4]), Elsewhere(Call[5]), Completed(Elsewhere(WholeGet))])), CallCut, CallAnswer);
        yield return R.Bad(7, "half a call of the upstream let through", Got(Numbered([.. Call[..3], ItemDone(0, CallItem("fc_0_run1", "call_0", "get", "{\"city\":\"Pa")), Completed(CallItem("fc_0_run1", "call_0", "get", "{\"city\":\"Pa"))])),
            R.Whole(Numbered([.. Call[..3], ItemDone(0, CallItem("fc_0_run1", "call_0", "get", "{\"city\":\"Pa")), Completed(CallItem("fc_0_run1", "call_0", "get", "{\"city\":\"Pa"))])), R.Failed());
    }

    private static IEnumerable<TranscriptCase> Wire()
    {
        byte[] whole = Numbered([Created(), .. Events, Completed(Hello)]);
        yield return R.Bad(2, "an event lost", Got(Numbered([Created(), .. Events[..2], .. Events[3..], Completed(Hello)])), R.Whole(whole));
        yield return R.Bad(2, "terminated although healthy", Loud(Numbered([.. Hel, Error, Failed()])), R.Whole(whole));
        yield return R.Bad(3, "a clean end in mid-answer", Got(Numbered(Hel)), Cut, R.Failed());
        yield return R.Bad(3, "no response.failed", Loud(Numbered([.. Hel, Error])), Cut, R.Failed());
        yield return R.Bad(3, "no nested error", Loud(Numbered([.. Hel, Error.Replace(",\"error\":{\"type\":\"server_error\",\"code\":\"server_error\",\"message\":\"m\",\"param\":null}", "", StringComparison.Ordinal), Failed()])), Cut, R.Failed());
        yield return R.Bad(3, "a clean end after the error events", Got(Numbered([.. Hel, Error, Failed()])), Cut, R.Failed());
        yield return R.Bad(3, "response.completed after the error events", Loud(Numbered([.. Hel, Error, Failed(), Completed(Hello)])), Cut, R.Failed());
        yield return R.Bad(3, "something after response.completed", Got(Numbered([.. Hel, Events[3], .. End, .. Message(1, "output_text", "more")])), Cut, Answer);
        yield return R.Bad(4, "an end made up", Got(Numbered([.. Hel, .. Events[4..].Select(Shorter), Completed(Shorter(Hello))])), Cut, R.Failed());
        yield return R.Bad(4, "cut off by a limit, said to be complete", Got(Numbered([.. Hel, Events[3], .. End])), Cut, Replay(Whole("run2", "incomplete", Hello)));
        yield return R.Bad(6, "response.failed under another id", Loud(Numbered([.. Hel, Error, Failed("run2")])), Cut, R.Failed());
        yield return R.Bad(6, "error events without the next number", Loud([.. Numbered(Hel), .. Numbered([Error, Failed()], 0)]), Cut, R.Failed());
        yield return R.Bad(8, "response.created of a failed attempt", Got([.. Numbered([Created()]), .. Numbered([Created("run2"), .. Events, Completed(Hello, id: "run2")])]), R.Cut(Numbered([Created()])), R.Whole(Numbered([Created("run2"), .. Events, Completed(Hello, id: "run2")])));
        yield return R.Bad(9, "response.in_progress for a heartbeat", Got(Numbered([.. Hel, InProgress(), Events[3], .. End])), R.Cut(Numbered(Hel)) with { Ending = AttemptEnding.Stalled }, Answer);
        yield return R.Bad(6, "a heartbeat without its number", Got([.. Numbered([.. Hel, Beat]), .. Numbered([Events[3], .. End], 4)]), R.Cut(Numbered(Hel)) with { Ending = AttemptEnding.Stalled }, Answer);
        yield return R.Bad(9, "a comment block for a heartbeat", Got([.. Numbered(Hel), .. Chat.Bytes(": ping\n\n"), .. Numbered([Events[3], .. End], 4)]), Cut, Answer);
    }

    /// <summary>Says what was delivered, and no more.</summary>
    private static string Shorter(string e) => e.Replace("Hello", "Hel", StringComparison.Ordinal);

    private static string Elsewhere(string e) => e.Replace("ris", "lermo", StringComparison.Ordinal);
}
