using System.Text;
using ProxyGateway.TestKit.Chats;
using ProxyGateway.TestKit.Contract;
using static ProxyGateway.Tests.TestKit.Make;

namespace ProxyGateway.Tests.TestKit;

/// <summary>Exchanges that break exactly one rule each.</summary>
internal static class BadTranscripts
{
    private static readonly AttemptRecord Hel = Cut(A.Role(), A.Text("Hel"));

    public static IEnumerable<TranscriptCase> All() => [.. Wire(), .. Endings(), .. Text(), .. Identity(), .. Tools(), .. Attempts()];

    private static IEnumerable<TranscriptCase> Wire()
    {
        yield return Bad(1, "half an event at the end", Of(Loud(A.Role(), A.Text("Hel"), "data: {\"id"), Cut(A.Role(), A.Text("Hel"), "data: {\"id")));
        yield return Bad(1, "half an event in front of the error event", Of(Loud(A.Role(), A.Text("Hel"), "data: {\"id\n\n", Chat.GatewayError), Cut(A.Role(), A.Text("Hel"), "data: {\"id"), Failed()));
        yield return Bad(1, "half a line made into an event", Of(Loud(A.Role(), A.Text("Hel"), "da\n\n", Chat.GatewayError), Streamed(AttemptEnding.Clean, A.Role(), A.Text("Hel"), "da"), Failed()));
        yield return Bad(1, "a malformed event was passed on", Of(
            Got(A.Role(), A.Text("Hi"), "data: {\"id\":\n\n", A.Text("!"), A.Finish(), Chat.Done), Cut(A.Role(), A.Text("Hi"), "data: {\"id\":\n\n"), Replay(A.Completion("Hi!"))));
        yield return Bad(1, "a byte order mark behind a heartbeat", Of(
            Got([Chat.Heartbeat, "\uFEFF" + A.Role(), A.Text("Hello"), A.Finish(), Chat.Done]), Streamed(AttemptEnding.Stalled), Replay(A.Completion("Hello"))));
        var crlf = new Chat { LineEnd = "\r\n" };
        yield return Bad(2, "CR lost", Of(new ClientRecord { Body = A.Stream("Hel", "lo") }, Streamed(crlf.Stream("Hel", "lo"))));
        yield return Bad(2, "CR lost in front of a splice", Of(
            Got(A.Role(), A.Text("Hel"), A.Text("lo"), A.Finish(), Chat.Done), Cut(crlf.Role(), crlf.Text("Hel")), Replay(A.Completion("Hello"))));
        yield return Bad(2, "a comment lost", Of(new ClientRecord { Body = A.Stream("Hel", "lo") }, Streamed(AttemptEnding.Clean, A.Role(), ": hi\n\n", A.Text("Hel"), A.Text("lo"), A.Finish(), Chat.Done)));
        yield return Bad(2, "an event lost", Of(Got(A.Role(), A.Text("lo"), A.Finish(), Chat.Done), Streamed(A.Stream("Hel", "lo"))));
        yield return Bad(2, "an event lost in front of a later one, then terminated", Of(Loud(A.Role(), A.Text("lo"), Chat.GatewayError), Cut(A.Role(), A.Text("Hel"), A.Text("lo")), Failed()));
        yield return Bad(2, "JSON written anew", Of(
            Got(A.Role(), A.Text("Hi").Replace(",\"", ", \"", StringComparison.Ordinal), A.Finish(), Chat.Done), Streamed(A.Stream("Hi"))));
        yield return Bad(2, "a heartbeat inside a healthy stream", Of(Got(A.Role(), A.Text("Hel"), Chat.Heartbeat, A.Text("lo"), A.Finish(), Chat.Done), Streamed(A.Stream("Hel", "lo"))));
        yield return Bad(2, "usage lost", Of(new ClientRecord { Body = A.Stream("Hi") }, Streamed(A.Stream(ChatChoice.Of("Hi"), usage: true))));
        yield return Bad(2, "terminated although healthy", Of(Loud(A.Role(), A.Text("Hel"), Chat.GatewayError), Streamed(A.Stream("Hel", "lo"))));
        yield return Bad(2, "two attempts beside each other, mixed", Of(
            Got(B.Role(), B.Text("Hel"), A.Text("lo"), B.Finish(), Chat.Done), Streamed(A.Stream("Hel", "lo")) with { Raced = true }, Streamed(B.Stream("Hel", "lo")) with { Raced = true }));
        yield return Bad(2, "two attempts beside each other were whole, and none is the client's", Of(
            Got(A.Role(), A.Finish(), Chat.Done), Streamed(A.Stream("Hel", "lo")) with { Raced = true }, Streamed(B.Stream("Hel", "lo")) with { Raced = true }));
        yield return Bad(8, "the role of a failed attempt", Of(Got([A.Role(), .. B.Events([ChatChoice.Of("Hi")])]), Cut(A.Role()), Streamed(B.Stream("Hi"))));
        yield return Bad(8, "a comment of a failed attempt", Of(Got([": OPENROUTER PROCESSING\n\n", .. B.Events([ChatChoice.Of("Hi")])]), Cut(": OPENROUTER PROCESSING\n\n", A.Role()), Replay(B.Completion("Hi"))));
        yield return Bad(8, "200 and an error event where an HTTP error was possible", Of(Loud(Chat.GatewayError), Cut(A.Role()), Failed()));
        yield return Bad(9, "a heartbeat with two line ends", Of(Loud(A.Role(), A.Text("Hel"), ": keepalive\n\n", Chat.GatewayError), Hel, Failed()));
        yield return Bad(9, "a heartbeat of another text", Of(Got([": ping\n\n", .. A.Events([ChatChoice.Of("Hi")])]), Streamed(AttemptEnding.Stalled), Replay(A.Completion("Hi"))));
        yield return Bad(9, "no end in sight", Of(Got(A.Role(), A.Text("Hel")) with { Ending = ClientEnding.TimedOut }, Streamed(AttemptEnding.Stalled, A.Role(), A.Text("Hel"))));
        yield return Bad(12, "the last event had arrived and was not passed on", Of(Loud(A.Role(), A.Text("Hel"), Chat.GatewayError), Cut(A.Role(), A.Text("Hel"), A.Text("lo")), Failed()));
    }

    private static IEnumerable<TranscriptCase> Endings()
    {
        yield return Bad(3, "a clean end in mid-answer", Of(Got(A.Role(), A.Text("Hel")), Hel, Failed()));
        yield return Bad(3, "a loud end without an error event", Of(Loud(A.Role(), A.Text("Hel")), Hel, Failed()));
        yield return Bad(3, "a clean end after the error event", Of(Got(A.Role(), A.Text("Hel"), Chat.GatewayError), Hel, Failed()));
        yield return Bad(3, "an end marker after the error event", Of(Loud(A.Role(), A.Text("Hel"), Chat.GatewayError, Chat.Done), Hel, Failed()));
        yield return Bad(3, "a finish reason in front of the error event", Of(Loud(A.Role(), A.Text("Hel"), A.Finish(), Chat.GatewayError), Cut(A.Role(), A.Text("Hel"), A.Finish()) with { MayHaveLostBytes = true }));
        yield return Bad(3, "two error events", Of(Loud(A.Role(), A.Text("Hel"), Chat.GatewayError, Chat.GatewayError), Hel, Failed()));
        yield return Bad(3, "a heartbeat's worth of text after the end marker", Of(Got(A.Role(), A.Text("Hel"), A.Text("lo"), A.Finish(), Chat.Done, A.Text("")), Hel, Replay(A.Completion("Hello"))));
        yield return Bad(3, "two end markers", Of(Got(A.Role(), A.Text("Hi"), A.Finish(), Chat.Done, Chat.Done), Streamed(A.Stream("Hi"))));
        yield return Bad(3, "a whole answer without its clean end", Of(new ClientRecord { Body = A.Stream("Hi"), Ending = ClientEnding.WithoutTerminator }, Streamed(A.Stream("Hi"))));
        yield return Bad(3, "an error event without choices", Of(Loud(A.Role(), A.Text("Hel"), Chat.GatewayError.Replace(",\"choices\":null", "", StringComparison.Ordinal)), Hel, Failed()));
        yield return Bad(3, "reset with the code of a cancel", Of(Loud(A.Role(), A.Text("Hel"), Chat.GatewayError) with { Ending = ClientEnding.Http2Reset, ResetCode = 8 }, Hel, Failed()));
        yield return Bad(3, "JSON for a stream", Of(Json(200, A.Completion("Hi")), Cut(A.Role()), Replay(A.Completion("Hi"))));
        yield return Bad(3, "an HTTP error as a page", Of(Json(502, "<html>Bad gateway</html>"u8.ToArray()), Failed()));
        yield return Bad(3, "no answer", Of(new ClientRecord { Status = null, ContentType = null, Ending = ClientEnding.ConnectionReset }, Failed()));
        yield return Bad(4, "an end made up", Of(Got(A.Role(), A.Text("Hel"), A.Finish(), Chat.Done), Hel, Failed()));
        yield return Bad(4, "a clean HTTP end taken for a terminal", Of(Got(A.Role(), A.Text("Hel"), Chat.Done), Streamed(AttemptEnding.Clean, A.Role(), A.Text("Hel"))));
        yield return Bad(4, "a replay without a stop reason", Of(Got(A.Role(), A.Text("Hel"), A.Text("lo"), A.Finish(), Chat.Done), Hel,
            Replay(Chat.Bytes(Encoding.UTF8.GetString(A.Completion("Hello")).Replace("\"stop\"", "null", StringComparison.Ordinal)))));
        yield return Bad(4, "a replay cut in the middle", Of(Got(A.Role(), A.Text("Hel"), A.Text("lo"), A.Finish(), Chat.Done), Hel, Replay(A.Completion("Hello")[..^20])));
        yield return Bad(4, "cut off by length, said to have stopped", Of(
            Got(A.Role(), A.Text("Hel"), A.Text("lo"), A.Finish(), Chat.Done), Hel, Replay(A.Completion([new ChatChoice { Text = ["Hello"], Finish = "length" }]))));
        yield return Bad(4, "no end marker", Of(Got(A.Role(), A.Text("Hi"), A.Finish()), Streamed(AttemptEnding.Clean, A.Role(), A.Text("Hi"), A.Finish())));
    }

    private static IEnumerable<TranscriptCase> Text()
    {
        yield return Bad(5, "the replay diverges and is appended", Of(Got(A.Role(), A.Text("Hel"), A.Text("p me"), A.Finish(), Chat.Done), Hel, Replay(A.Completion("Hello"))));
        yield return Bad(5, "the last event twice", Of(Got(A.Role(), A.Text("Hel"), A.Text("Hel"), A.Text("lo"), A.Finish(), Chat.Done), Hel, Replay(A.Completion("Hello"))));
        yield return Bad(5, "one character lost", Of(Got(A.Role(), A.Text("Hel"), A.Text("o"), A.Finish(), Chat.Done), Hel, Replay(A.Completion("Hello"))));
        yield return Bad(5, "reasoning lost", Of(Got([.. A.Events([ChatChoice.Of("Hello")])]), Cut(A.Role()), Replay(A.Completion([new ChatChoice { Reasoning = ["hm"], Text = ["Hello"] }]))));
        yield return Bad(5, "the second choice's text in the first", Of(
            Got(A.Role(), A.Text("one"), A.Role(1), A.Text("tw", 1), A.Text("o"), A.Finish(), A.Finish(choice: 1), Chat.Done),
            Cut(A.Role(), A.Text("one"), A.Role(1), A.Text("tw", 1)), Replay(A.Completion([ChatChoice.Of("one"), ChatChoice.Of("two")]))) with
        { RequestBody = A.Request(n: 2) });
        yield return Bad(5, "a character cut in two", Of(
            Got(A.Role(), GoodTranscripts.Half("\\ud83d"), GoodTranscripts.Half("\\ude00"), A.Finish(), Chat.Done), Cut(A.Role()), Replay(A.Completion("😀"))));
        yield return Bad(5, "text appended, then terminated", Of(Loud(A.Role(), A.Text("Hel"), A.Text("lo"), Chat.GatewayError), Hel, Replay(A.Completion("Hello"))));
        yield return Bad(5, "another answer as JSON", Of(Json(200, A.Completion("Other")), Cut(A.Role()), Replay(A.Completion("Hello"))) with { JsonAllowed = true });
    }

    private static IEnumerable<TranscriptCase> Identity()
    {
        var answer = Replay(A.Completion("Hello"));
        yield return Bad(6, "a second id", Of(Got(A.Role(), A.Text("Hel"), Id(A.Text("lo")), Id(A.Finish()), Chat.Done), Hel, answer));
        yield return Bad(6, "a second model", Of(
            Got(A.Role(), A.Text("Hel"), A.Text("lo"), (A with { Model = "other" }).Finish(), Chat.Done), Hel, answer));
        yield return Bad(6, "a second time of creation", Of(Got(A.Role(), A.Text("Hel"), A.Text("lo"), (A with { Created = 5 }).Finish(), Chat.Done), Hel, answer));
        yield return Bad(6, "a second role", Of(Got(A.Role(), A.Text("Hel"), A.Role(), A.Text("lo"), A.Finish(), Chat.Done), Hel, answer));
        yield return Bad(6, "no role", Of(Got(A.Text("Hello"), A.Finish(), Chat.Done), Cut(A.Role()), answer));
        yield return Bad(6, "a second finish reason", Of(Got(A.Role(), A.Text("Hel"), A.Text("lo"), A.Finish(), A.Finish(), Chat.Done), Hel, answer));
        yield return Bad(6, "no finish reason", Of(Got(A.Role(), A.Text("Hel"), A.Text("lo"), Chat.Done), Hel, answer));
        yield return Bad(6, "content after the finish reason", Of(Got(A.Role(), A.Text("Hel"), A.Finish(), A.Text("lo"), Chat.Done), Hel, answer));
        yield return Bad(6, "usage twice", Of(Got(A.Role(), A.Text("Hel"), A.Text("lo"), A.Finish(), A.Usage(), A.Usage(), Chat.Done), Hel, answer) with { RequestBody = A.Request(includeUsage: true) });
        yield return Bad(6, "usage once by the upstream and once more by the gateway", Of(
            Got(A.Role(), A.Text("Hel"), A.Usage(), A.Text("lo"), A.Finish(), A.Usage(), Chat.Done), Cut(A.Role(), A.Text("Hel"), A.Usage()), answer) with { RequestBody = A.Request(includeUsage: true) });
        yield return Bad(6, "usage in front of the finish reason", Of(
            Got(A.Role(), A.Text("Hel"), A.Text("lo"), A.Usage(), A.Finish(), Chat.Done), Hel, answer) with { RequestBody = A.Request(includeUsage: true) });
        yield return Bad(6, "usage forgotten", Of(Got(A.Role(), A.Text("Hel"), A.Text("lo"), A.Finish(), Chat.Done), Hel, answer) with { RequestBody = A.Request(includeUsage: true) });
        yield return Bad(6, "the asked model's name on a fallback's answer", Of(
            Got([.. (B with { Model = A.Model }).Events([ChatChoice.Of("Hello")])]), Cut(A.Role()), Replay(B.Completion("Hello"), "droid")));

        static string Id(string e) => e.Replace("chatcmpl-1", "chatcmpl-2", StringComparison.Ordinal);
    }

    private static IEnumerable<TranscriptCase> Tools()
    {
        var begun = Cut(A.Role(), A.Tool(0, "call_1", "weather"), A.Arguments(0, "{\"city\":\"Pa"));
        string[] head = [A.Role(), A.Tool(0, "call_1", "weather"), A.Arguments(0, "{\"city\":\"Pa")];
        var answer = Replay(A.Completion([Weather]));
        yield return Bad(7, "a finish after half a call", Of(Got([.. head, A.Finish("tool_calls"), Chat.Done]), begun, answer));
        yield return Bad(7, "a half call of the upstream let through", Of(
            Got([.. head, A.Finish("tool_calls"), Chat.Done]), Streamed(AttemptEnding.Clean, [.. head, A.Finish("tool_calls"), Chat.Done]), answer));
        yield return Bad(7, "other arguments", Of(Got([.. head, A.Arguments(0, "lermo\"}"), A.Finish("tool_calls"), Chat.Done]), begun, answer));
        yield return Bad(7, "the whole call again", Of(Got([.. head, A.Arguments(0, "ris\"}"), A.Tool(1, "call_1", "weather", Args), A.Finish("tool_calls"), Chat.Done]), begun, answer));
        yield return Bad(7, "named twice", Of(Got([.. head, A.Tool(0, "call_1", "weather", "ris\"}"), A.Finish("tool_calls"), Chat.Done]), begun, Replay(A.Completion([ChatChoice.Call(new ChatToolCall("call_1", "weatherweather", Args))]))));
        yield return Bad(7, "another id", Of(Got([.. head, A.Delta(0, "\"tool_calls\":[{\"index\":0,\"id\":\"call_2\",\"function\":{\"arguments\":\"ris\\\"}\"}}]"), A.Finish("tool_calls"), Chat.Done]), begun, answer));
        yield return Bad(7, "a second call forgotten", Of(
            Got([.. head, A.Arguments(0, "ris\"}"), A.Finish("tool_calls"), Chat.Done]), begun, Replay(A.Completion([ChatChoice.Call(new ChatToolCall("call_1", "weather", Args), new ChatToolCall("call_2", "time", "{}"))]))));
    }

    private static IEnumerable<TranscriptCase> Attempts()
    {
        var stream = A.Stream("Hi");
        var healthy = Of(new ClientRecord { Body = stream }, Streamed(stream));
        var spliced = Of(Got(A.Role(), A.Text("Hel"), A.Text("lo"), A.Finish(), Chat.Done), Hel, Replay(A.Completion("Hello")));
        yield return Bad(9, "an attempt left running", Of(Loud(A.Role(), A.Text("Hel"), Chat.GatewayError), Streamed(AttemptEnding.LeftOpen, A.Role(), A.Text("Hel")), Failed()));
        yield return Bad(10, "an event over the limit", healthy with { Limits = new ContractLimits { MaxEventBytes = 20 } });
        yield return Bad(10, "a splice after more text than is kept", spliced with { Limits = new ContractLimits { MaxDeliveredBytes = 2 } });
        yield return Bad(10, "too many attempts", spliced with { Limits = new ContractLimits { MaxAttempts = 1 } });
        yield return Bad(10, "too large a request sent on", healthy with { Limits = new ContractLimits { MaxRequestBytes = 10 } });
        yield return Bad(10, "too much held back", healthy with { Limits = new ContractLimits { MaxEventBytes = 1000, PeakHeldBytes = 1001 } });
        var left = Of(Got(A.Role(), A.Text("Hel")) with { Ending = ClientEnding.ClientLeft }, Hel);
        yield return Bad(11, "an attempt after the client had left", left with { Attempts = [Hel, Replay(A.Completion("Hello")) with { BeganAfterClientLeft = true }] });
        yield return Bad(11, "an attempt that outlives its client", left with { Attempts = [Streamed(AttemptEnding.LeftOpen, A.Role(), A.Text("Hel"))] });
        yield return Bad(11, "the breaker counts a leave", left with
        {
            Attempts = [Streamed(AttemptEnding.CancelledByGateway, A.Role(), A.Text("Hel"))],
            Counters = GoodTranscripts.Counted(1, 1) with { BreakerFailures = 1 },
        });
        yield return Bad(13, "the client's key at a fallback", GoodTranscripts.Credentials("Bearer client-key"));
        yield return Bad(13, "the client's key under another name", GoodTranscripts.Credentials("client=Bearer client-key"));
        yield return Bad(14, "an exchange counted twice", healthy with { Counters = GoodTranscripts.Counted(2, 1) });
        yield return Bad(14, "an attempt not counted", healthy with { Counters = GoodTranscripts.Counted(1, 0) });
        yield return Bad(14, "an outcome nobody knows", healthy with
        {
            Counters = GoodTranscripts.Counted(1, 1) with { ExchangesByOutcome = new Dictionary<string, long> { ["fine"] = 1 } },
        });
        var changed = Chat.Bytes(Encoding.UTF8.GetString(A.Request(stream: false)).Replace("\"hi\"", "\"ho\"", StringComparison.Ordinal));
        yield return Bad(15, "a replay of another request", spliced with { Attempts = [Hel, Replay(A.Completion("Hello")) with { RequestBody = changed }] });
        yield return Bad(15, "a replay that asks for a stream", spliced with { Attempts = [Hel, Replay(A.Completion("Hello")) with { RequestBody = A.Request() }] });
        var refusal = Chat.ErrorBody("no such model", "invalid_request_error", "model_not_found");
        yield return Bad(15, "a client error in other words", Of(Json(404, Chat.ErrorBody()), Failed(404) with { Kind = AttemptKind.Streaming, Body = refusal }));
    }

    private static TranscriptCase Bad(int rule, string name, Transcript transcript) => new(rule, name, transcript);
}
