using ProxyGateway.TestKit.Contract;
using static ProxyGateway.TestKit.Chats.MessageStream;
using static ProxyGateway.Tests.TestKit.Formats.FormatTranscript;

namespace ProxyGateway.Tests.TestKit.Formats;

internal static class AnthropicTranscripts
{
    private static readonly FormatTranscript A = new("anthropic-messages", Request(), ErrorBody);
    private static readonly string Hel = Start() + BeginText(0) + Text(0, "Hel");
    private static readonly string Rest = Text(0, "lo") + End(0) + Stop() + Done;
    private static readonly AttemptRecord Cut = A.Cut(Hel);
    private static readonly AttemptRecord Hello = Replay(Answer(WholeText("Hello")));
    private static readonly string Call = Start() + BeginTool(0, "t1", "get") + Input(0, "{\"city\": \"Pa");
    private static readonly AttemptRecord CallAnswer = Replay(Message("msg_2", "tool_use", WholeTool("t9", "get", "{\"city\":\"Paris\"}")));

    public static IEnumerable<TranscriptCase> Good()
    {
        var whole = Start() + Ping + ThinkingBlock(0, "Let me") + TextBlock(1, "Hi") + ToolBlock(2, "t1", "get", "{}") + Stop("tool_use") + Done;
        yield return A.Good("healthy", Got(whole), A.Whole(whole));
        yield return A.Good("message_stop missing", Got(Hel + End(0) + Stop() + Done), A.Whole(Hel + End(0) + Stop()));
        yield return A.Good("spliced in the open block", Got(Hel + Rest), Cut, Hello);
        yield return A.Good("spliced after pings", Got(Hel + Ping + Ping + Rest), A.Stalled(Hel), Hello);
        yield return A.Good("spliced with a further block", Got(Hel + Text(0, "lo") + End(0) + TextBlock(1, "!") + Stop() + Done), Cut, Replay(Answer(WholeText("Hello"), WholeText("!"))));
        yield return A.Good("spliced after whole thinking", Got(Start() + ThinkingBlock(0, "so") + TextBlock(1, "Hello") + Stop() + Done),
            A.Cut(Start() + ThinkingBlock(0, "so")), Replay(Answer(WholeThinking("other"), WholeText("Hello"))));
        yield return A.Good("thinking signed and not closed", Got(Start() + BeginThinking(0) + Think(0, "so") + Sign(0) + End(0) + TextBlock(1, "Hello") + Stop() + Done),
            A.Cut(Start() + BeginThinking(0) + Think(0, "so") + Sign(0)), Hello);
        yield return A.Good("cut thinking terminated", Loud(Start() + BeginThinking(0) + Think(0, "so") + GatewayError), A.Cut(Start() + BeginThinking(0) + Think(0, "so")), Hello);
        yield return A.Good("spliced inside a tool's input", Got(Call + Input(0, "ris\"}") + End(0) + Stop("tool_use") + Done), A.Cut(Call), CallAnswer);
        yield return A.Good("made of a replay", Got(Start("msg_2") + TextBlock(0, "Hello") + Stop() + Done), A.Cut(Start()), Hello);
        yield return A.Good("terminated", Loud(Hel + GatewayError), Cut, A.Failed());
        yield return A.Good("second message_start of the upstream", Loud(Hel + GatewayError), A.Whole(Hel + Start("msg_x") + Rest), A.Failed());
        yield return A.Good("delta into a closed block of the upstream", Loud(Start() + TextBlock(0, "Hi") + GatewayError), A.Whole(Start() + TextBlock(0, "Hi") + Text(0, "!") + Stop() + Done), A.Failed());
        yield return A.Good("everything failed", new ClientRecord { Status = 502, Body = ErrorBody }, A.Cut(Start()), A.Failed());
    }

    public static IEnumerable<TranscriptCase> Bad() => [.. Identity(), .. Text5(), .. Tools(), .. Wire()];

    private static IEnumerable<TranscriptCase> Identity()
    {
        yield return A.Bad(6, "a second message_start", Got(Hel + Start("msg_2") + Rest), Cut, Hello);
        yield return A.Bad(6, "the rest in a new block of the same index", Got(Hel + End(0) + BeginText(0) + Rest), Cut, Hello);
        yield return A.Bad(6, "a delta into a block that is closed", Got(Hel + End(0) + Text(0, "lo") + Stop() + Done), Cut, Hello);
        yield return A.Bad(6, "a delta into a block that has not begun", Got(Hel + Text(1, "lo") + End(0) + Stop() + Done), Cut, Hello);
        yield return A.Bad(6, "block indexes with a gap", Got(Hel + Text(0, "lo") + End(0) + TextBlock(2, "!") + Stop() + Done), Cut, Replay(Answer(WholeText("Hello"), WholeText("!"))));
        yield return A.Bad(6, "a block left open at the end", Got(Hel + Text(0, "lo") + Stop() + Done), Cut, Hello);
        yield return A.Bad(6, "a block closed twice", Got(Hel + Text(0, "lo") + End(0) + End(0) + Stop() + Done), Cut, Hello);
        yield return A.Bad(6, "two stop reasons", Got(Hel + Text(0, "lo") + End(0) + Stop() + Stop() + Done), Cut, Hello);
        yield return A.Bad(6, "a delta of another kind of block", Got(Hel + Input(0, "lo") + End(0) + Stop() + Done), Cut, Hello);
        yield return A.Bad(6, "usage in two events", Got(Hel + Text(0, "lo") + End(0) + Event("message_delta", ",\"delta\":{},\"usage\":{\"output_tokens\":5}") + Stop() + Done), Cut, Hello);
        yield return A.Bad(6, "no usage", Got(Hel + Text(0, "lo") + End(0) + Event("message_delta", ",\"delta\":{\"stop_reason\":\"end_turn\"}") + Done), Cut, Hello);
        yield return A.Bad(6, "the output counted at the start too", Got(Start("msg_2").Replace("\"output_tokens\":1", "\"output_tokens\":5", StringComparison.Ordinal) + TextBlock(0, "Hello") + Stop() + Done), A.Cut(Start()), Hello);
        yield return A.Bad(6, "an id that nobody gave", Got(Start("msg_x") + TextBlock(0, "Hello") + Stop() + Done), A.Cut(Start()), Hello);
        yield return A.Bad(6, "another model than the answer's", Got(Start("msg_2", "x") + TextBlock(0, "Hello") + Stop() + Done), A.Cut(Start()), Hello);
    }

    private static IEnumerable<TranscriptCase> Text5()
    {
        yield return A.Bad(5, "the replay diverges and is appended", Got(Hel + Text(0, "p me") + End(0) + Stop() + Done), Cut, Hello);
        yield return A.Bad(5, "the text twice", Got(Hel + Text(0, "Hello") + End(0) + Stop() + Done), Cut, Hello);
        yield return A.Bad(5, "a block of the replay forgotten", Got(Hel + Rest), Cut, Replay(Answer(WholeText("Hello"), WholeText("!"))));
        yield return A.Bad(5, "thinking cut and gone on with", Got(Start() + BeginThinking(0) + Think(0, "so") + Think(0, " be") + Sign(0) + End(0) + TextBlock(1, "Hello") + Stop() + Done),
            A.Cut(Start() + BeginThinking(0) + Think(0, "so")), Replay(Answer(WholeThinking("so be"), WholeText("Hello"))));
        yield return A.Bad(5, "thinking cut and closed", Got(Start() + BeginThinking(0) + Think(0, "so") + End(0) + TextBlock(1, "Hello") + Stop() + Done),
            A.Cut(Start() + BeginThinking(0) + Think(0, "so")), Replay(Answer(WholeThinking("so"), WholeText("Hello"))));
        yield return A.Bad(5, "thinking made without its signature", Got(Start("msg_2") + BeginThinking(0) + Think(0, "so") + End(0) + TextBlock(1, "Hello") + Stop() + Done),
            A.Cut(Start()), Replay(Answer(WholeThinking("so"), WholeText("Hello"))));
        yield return A.Bad(5, "thinking forgotten", Got(Start("msg_2") + TextBlock(0, "Hello") + Stop() + Done), A.Cut(Start()), Replay(Answer(WholeThinking("so"), WholeText("Hello"))));
        yield return A.Bad(5, "a citation lost", Got(Hel + Rest), Cut, Replay(Answer("{\"type\":\"text\",\"text\":\"Hello\",\"citations\":[{\"url\":\"u\"}]}")));
        yield return A.Bad(5, "appended, then terminated", Loud(Hel + Text(0, "lo") + GatewayError), Cut, Hello);
    }

    private static IEnumerable<TranscriptCase> Tools()
    {
        yield return A.Bad(7, "the end of a call whose input is cut", Got(Call + End(0) + Stop("tool_use") + Done), A.Cut(Call), CallAnswer);
        yield return A.Bad(7, "a call left open at the end", Got(Call + Stop("tool_use") + Done), A.Cut(Call), CallAnswer);
        yield return A.Bad(7, "half a call of the upstream let through", Got(Call + End(0) + Stop("tool_use") + Done), A.Whole(Call + End(0) + Stop("tool_use") + Done), A.Failed());
        yield return A.Bad(7, "other input", Got(Call + Input(0, "lermo\"}") + End(0) + Stop("tool_use") + Done), A.Cut(Call), CallAnswer);
        yield return A.Bad(7, "another tool", Got(Call + Input(0, "ris\"}") + End(0) + Stop("tool_use") + Done), A.Cut(Call), Replay(Message("msg_2", "tool_use", WholeTool("t9", "put", "{\"city\":\"Paris\"}"))));
        yield return A.Bad(7, "the call again", Got(Call + Input(0, "ris\"}") + End(0) + ToolBlock(1, "t9", "get", "{\"city\":\"Paris\"}") + Stop("tool_use") + Done), A.Cut(Call), CallAnswer);
        yield return A.Bad(7, "an id that nobody gave", Got(Start("msg_2") + ToolBlock(0, "t1", "get", "{\"city\":\"Paris\"}") + Stop("tool_use") + Done), A.Cut(Start()), CallAnswer);
        yield return A.Bad(7, "a call forgotten", Got(Hel + Rest.Replace("end_turn", "tool_use", StringComparison.Ordinal)), Cut, Replay(Message("msg_2", "tool_use", WholeText("Hello"), WholeTool("t9", "get", "{}"))));
    }

    private static IEnumerable<TranscriptCase> Wire()
    {
        yield return A.Bad(1, "an event without its name", Got(Hel + Text(0, "lo").Replace("event: content_block_delta\n", "", StringComparison.Ordinal) + End(0) + Stop() + Done), Cut, Hello);
        yield return A.Bad(1, "half an event", Loud(Hel + "event: content_bl"), A.Cut(Hel + "event: content_bl"));
        yield return A.Bad(2, "an event lost", Got(Start() + BeginText(0) + Text(0, "lo") + End(0) + Stop() + Done), A.Whole(Start() + TextBlock(0, "Hel", "lo") + Stop() + Done));
        yield return A.Bad(2, "terminated although healthy", Loud(Hel + GatewayError), A.Whole(Hel + Rest));
        yield return A.Bad(2, "a ping inside a running stream", Got(Hel + Ping + Rest), A.Whole(Hel + Rest));
        yield return A.Bad(3, "a clean end in mid-answer", Got(Hel), Cut, A.Failed());
        yield return A.Bad(3, "an error event without its name", Loud(Hel + GatewayError.Replace("event: error\n", "", StringComparison.Ordinal)), Cut, A.Failed());
        yield return A.Bad(3, "a clean end after the error event", Got(Hel + GatewayError), Cut, A.Failed());
        yield return A.Bad(3, "message_stop after the error event", Loud(Hel + GatewayError + Done), Cut, A.Failed());
        yield return A.Bad(3, "something after message_stop", Got(Hel + Rest + Ping.Replace("ping", "pong", StringComparison.Ordinal)), Cut, Hello);
        yield return A.Bad(4, "a stop made up", Got(Hel + End(0) + Stop() + Done), Cut, A.Failed());
        yield return A.Bad(4, "cut off by length, said to have ended", Got(Hel + Rest), Cut, Replay(Message("msg_2", "max_tokens", WholeText("Hello"))));
        yield return A.Bad(4, "no message_stop", Got(Hel + End(0) + Stop()), A.Whole(Hel + End(0) + Stop()));
        yield return A.Bad(8, "message_start of a failed attempt", Got(Start() + Start("msg_2") + TextBlock(0, "Hello") + Stop() + Done), A.Cut(Start()), A.Whole(Start("msg_2") + TextBlock(0, "Hello") + Stop() + Done));
        yield return A.Bad(8, "200 and an error event where an HTTP error was possible", Loud(GatewayError), A.Cut(Start()), A.Failed());
        yield return A.Bad(9, "a comment for a heartbeat", Got(Hel + ": keepalive\n\n" + Rest), A.Stalled(Hel), Hello);
    }
}
