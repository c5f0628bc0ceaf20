using ProxyGateway.TestKit.Chats;
using ProxyGateway.TestKit.Contract;
using static ProxyGateway.Tests.TestKit.Make;

namespace ProxyGateway.Tests.TestKit;

/// <summary>Exchanges as they should be.</summary>
internal static class GoodTranscripts
{
    public static IEnumerable<TranscriptCase> All()
    {
        var hello = A.Stream("Hel", "lo");
        yield return Good("healthy", Of(new ClientRecord { Body = hello }, Streamed(hello)));
        var rich = A.Stream(new ChatChoice { Reasoning = ["hm"], Text = ["Hel", "lo"], Tools = Weather.Tools }, usage: true);
        yield return Good("healthy with reasoning, a tool call and usage", Of(new ClientRecord { Body = rich }, Streamed(rich)));
        var crlf = new Chat { LineEnd = "\r\n" }.Stream("Hel", "lo");
        byte[] odd = [0xEF, 0xBB, 0xBF, .. ": OPENROUTER PROCESSING\n\nid: 7\n"u8, .. crlf];
        yield return Good("healthy with a byte order mark, comments, ids and CRLF", Of(new ClientRecord { Body = odd }, Streamed(odd)));
        yield return Good("healthy without end marker gets one",
            Of(Got(A.Role(), A.Text("Hi"), A.Finish(), Chat.Done), Streamed(AttemptEnding.Clean, A.Role(), A.Text("Hi"), A.Finish())));
        yield return Good("cut after the finish reason is complete",
            Of(Got(A.Role(), A.Text("Hi"), A.Finish(), Chat.Done), Cut(A.Role(), A.Text("Hi"), A.Finish())));
        yield return Good("events after the end marker are dropped",
            Of(Got(A.Role(), A.Text("Hi"), A.Finish(), Chat.Done), Streamed(AttemptEnding.Clean, A.Role(), A.Text("Hi"), A.Finish(), Chat.Done, A.Text("more"))));
        yield return Good("one malformed event is dropped",
            Of(Got(A.Role(), A.Text("Hi"), A.Finish(), Chat.Done), Streamed(AttemptEnding.Clean, A.Role(), "data: {\"id\":\n\n", A.Text("Hi"), A.Finish(), Chat.Done)));
        yield return Good("where only the end marker counts a stop reason waits for it", Of(
            Loud(A.Role(), A.Text("Hi"), Chat.GatewayError),
            Cut(A.Role(), A.Text("Hi"), A.Finish()) with { Terminal = TerminalRule.Done }));
        yield return Good("an event stream in the place of a replay may be refused", Of(
            Loud(A.Role(), A.Text("Hi"), Chat.GatewayError),
            Cut(A.Role(), A.Text("Hi")), Streamed(hello) with { Kind = AttemptKind.NonStreaming }));
        yield return Good("an error that is no JSON may be taken for one", Of(
            Loud(A.Role(), A.Text("Hi"), Chat.GatewayError),
            Streamed(AttemptEnding.Clean, A.Role(), A.Text("Hi"), "data: {\"error\":{\"mess\n\n", A.Finish(), Chat.Done)));
        yield return Good("two choices, untouched", Of(
            new ClientRecord { Body = Chat.Bytes([.. A.Events([ChatChoice.Of("one"), ChatChoice.Of("two")])]) },
            Streamed(Chat.Bytes([.. A.Events([ChatChoice.Of("one"), ChatChoice.Of("two")])]))) with { RequestBody = A.Request(n: 2) });
        yield return Good("two attempts beside each other were whole, the second was sooner", Of(
            new ClientRecord { Body = B.Stream("Hello") }, Streamed(hello) with { Raced = true }, Streamed(B.Stream("Hello")) with { Raced = true }));
        foreach (var item in Recovered().Concat(Failures()))
        {
            yield return item;
        }
    }

    private static IEnumerable<TranscriptCase> Recovered()
    {
        yield return Good("spliced", Of(Got(A.Role(), A.Text("Hel"), A.Text("lo"), A.Finish(), Chat.Done), Cut(A.Role(), A.Text("Hel"), "data: {\"id"), Replay(A.Completion("Hello"))));
        yield return Good("spliced from a fallback after heartbeats", Of(
            Got(A.Role(), A.Text("Hel"), Chat.Heartbeat, Chat.Heartbeat, A.Text("lo"), A.Finish(), Chat.Done),
            Streamed(AttemptEnding.Stalled, A.Role(), A.Text("Hel")), Failed(), Replay(B.Completion("Hello"), "droid")));
        yield return Good("spliced with usage that was asked for", Of(
            Got(A.Role(), A.Text("Hel"), A.Text("lo"), A.Finish(), A.Usage(), Chat.Done), Cut(A.Role(), A.Text("Hel")), Replay(A.Completion("Hello"))) with
        { RequestBody = A.Request(includeUsage: true) });
        yield return Good("spliced inside tool arguments", Of(
            Got(A.Role(), A.Tool(0, "call_1", "weather"), A.Arguments(0, "{\"city\":\"Pa"), A.Arguments(0, "ris\"}"), A.Finish("tool_calls"), Chat.Done),
            Cut(A.Role(), A.Tool(0, "call_1", "weather"), A.Arguments(0, "{\"city\":\"Pa")), Replay(A.Completion([ChatChoice.Call(new ChatToolCall("call_other", "weather", Args))]))));
        yield return Good("spliced in the second of two choices", Of(
            Got(A.Role(), A.Text("one"), A.Role(1), A.Text("tw", 1), A.Text("o", 1), A.Finish(), A.Finish(choice: 1), Chat.Done),
            Cut(A.Role(), A.Text("one"), A.Role(1), A.Text("tw", 1)), Replay(A.Completion([ChatChoice.Of("one"), ChatChoice.Of("two")]))) with
        { RequestBody = A.Request(n: 2) });
        yield return Good("made from a replay", Of(Got([.. B.Events([new ChatChoice { Reasoning = ["hm"], Text = ["Hel", "lo"], Tools = Weather.Tools }])]),
            Cut(A.Role()), Replay(B.Completion([new ChatChoice { Reasoning = ["hm"], Text = ["Hello"], Tools = Weather.Tools }]))));
        yield return Good("made after a heartbeat", Of(Got([Chat.Heartbeat, .. A.Events([ChatChoice.Of("Hello")])]), Streamed(AttemptEnding.Stalled), Replay(A.Completion("Hello"))));
        var second = B.Stream("Hello");
        yield return Good("second attempt streams, the first gave only its role", Of(new ClientRecord { Body = second }, Cut(A.Role()), Streamed(second) with { Cluster = "droid", IsFallback = true }));
        yield return Good("answered as JSON where the route says so", Of(Json(200, A.Completion("Hello")), Cut(A.Role()), Replay(A.Completion("Hello"))) with { JsonAllowed = true });
        yield return Good("not a stream at all", Of(Json(200, A.Completion("Hello")), Replay(A.Completion("Hello"))) with { RequestBody = A.Request(stream: false) });
        yield return Good("the blank line of a CRLF stream was cut in two", Of(
            Got(Crlf.Role(), Crlf.Text("Hel")[..^1], A.Text("lo"), A.Finish(), Chat.Done), Cut(Crlf.Role(), Crlf.Text("Hel")), Replay(A.Completion("Hello"))));
        yield return Good("a surrogate pair split between two deltas", Of(
            Got(A.Role(), Half("\\ud83d"), Half("\\ude00"), A.Text("!"), A.Finish(), Chat.Done), Cut(A.Role(), Half("\\ud83d"), Half("\\ude00")), Replay(A.Completion("😀!"))));
    }

    private static IEnumerable<TranscriptCase> Failures()
    {
        yield return Good("terminated after content", Of(Loud(A.Role(), A.Text("Hel"), Chat.GatewayError), Cut(A.Role(), A.Text("Hel")), Replay(A.Completion("Other"))));
        yield return Good("terminated over HTTP/2", Of(Loud(A.Role(), A.Text("Hel"), Chat.GatewayError) with { Ending = ClientEnding.Http2Reset, ResetCode = 2 }, Cut(A.Role(), A.Text("Hel")), Failed()));
        yield return Good("terminated after a heartbeat, before content", Of(Loud(Chat.Heartbeat, Chat.GatewayError), Streamed(AttemptEnding.Stalled), Failed()));
        yield return Good("terminated in front of a finish with half a tool call", Of(
            Loud(A.Role(), A.Tool(0, "call_1", "weather", "{\"ci"), Chat.GatewayError),
            Streamed(AttemptEnding.Clean, A.Role(), A.Tool(0, "call_1", "weather", "{\"ci"), A.Finish("tool_calls"), Chat.Done), Failed()));
        yield return Good("terminated when one of two choices had stopped", Of(
            Loud(A.Role(), A.Text("one"), A.Role(1), A.Text("tw", 1), A.Finish(), Chat.GatewayError),
            Cut(A.Role(), A.Text("one"), A.Role(1), A.Text("tw", 1), A.Finish()), Failed()) with
        { RequestBody = A.Request(n: 2) });
        yield return Good("the last event lacked its blank line", Of(
            Loud(A.Role(), A.Text("Hel"), Chat.GatewayError), Streamed(AttemptEnding.Clean, A.Role(), A.Text("Hel")[..^2]), Failed()));
        yield return Good("in-band error behind which a false end marker stands", Of(
            Loud(A.Role(), A.Text("Hel"), Chat.GatewayError),
            Streamed(AttemptEnding.Clean, A.Role(), A.Text("Hel"), "data: {\"error\":{\"message\":\"overloaded\"}}\n\n", Chat.Done), Failed()));
        yield return Good("HTTP error when everything failed", Of(Json(502, Chat.ErrorBody()), Cut(A.Role()), Failed()));
        yield return Good("no connection", Of(Json(502, Chat.ErrorBody()), new AttemptRecord { Status = 0, Ending = AttemptEnding.NotConnected }));
        var refusal = Chat.ErrorBody("no such model", "invalid_request_error", "model_not_found");
        yield return Good("client error relayed", Of(Json(404, refusal), Failed(404) with { Kind = AttemptKind.Streaming, Body = refusal }));
        yield return Good("too large", new Transcript { RequestBody = A.Request(), Client = Json(413, Chat.ErrorBody(code: "request_too_large")), Limits = new ContractLimits { MaxRequestBytes = 10 } });
        yield return Good("client left", Of(Got(A.Role(), A.Text("Hel")) with { Ending = ClientEnding.ClientLeft }, Streamed(AttemptEnding.CancelledByGateway, A.Role(), A.Text("Hel"), A.Text("lo"))));
        yield return Good("shutdown ends a healthy stream loudly", Of(Loud(A.Role(), A.Text("Hel"), Chat.GatewayError), Streamed(AttemptEnding.CancelledByGateway, A.Role(), A.Text("Hel"), A.Text("lo"))) with { GatewayGaveUp = true });
        yield return Good("reset ate the last event on the way", Of(
            Got(A.Role(), A.Text("Hel"), A.Text("lo!"), A.Finish(), Chat.Done), Cut(A.Role(), A.Text("Hel"), A.Text("lo")) with { MayHaveLostBytes = true }, Replay(A.Completion("Hello!"))));
        yield return Good("counted once", Of(new ClientRecord { Body = A.Stream("Hi") }, Streamed(A.Stream("Hi"))) with { Counters = Counted(1, 1) });
        yield return Good("credentials stay home", Credentials("Bearer droid-key"));
    }

    public static readonly Chat Crlf = new() { LineEnd = "\r\n" };

    public static string Half(string escape) => A.Delta(0, $"\"content\":\"{escape}\"");

    public static ContractCounters Counted(long exchanges, long attempts) => new()
    {
        ExchangesStarted = 1,
        ExchangesByOutcome = new Dictionary<string, long> { ["complete"] = exchanges },
        AttemptsStarted = 1,
        AttemptsByResult = new Dictionary<string, long> { ["complete"] = attempts },
        KnownOutcomes = ["complete", "recovered", "terminated"],
    };

    public static Transcript Credentials(string atFallback)
    {
        var stream = B.Stream("Hi");
        return Of(new ClientRecord { Body = stream }, Cut(A.Role()), Streamed(stream) with { Cluster = "droid", IsFallback = true, RequestHeaders = [new("Authorization", atFallback)] }) with
        {
            RequestHeaders = [new("Authorization", "Bearer client-key"), new("Accept", "*/*")],
        };
    }

    private static TranscriptCase Good(string name, Transcript transcript) => new(0, name, transcript);
}
