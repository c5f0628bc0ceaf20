using ProxyGateway.TestKit.Chats;
using ProxyGateway.TestKit.Contract;
using static ProxyGateway.Tests.TestKit.Formats.FormatTranscript;

namespace ProxyGateway.Tests.TestKit.Formats;

/// <summary>The smaller formats.</summary>
internal static class OtherTranscripts
{
    public static IEnumerable<TranscriptCase> Good() => All().Where(c => c.Rule == 0);

    public static IEnumerable<TranscriptCase> Bad() => All().Where(c => c.Rule != 0);

    private static IEnumerable<TranscriptCase> All() => [.. Completions(), .. Gemini(), .. Ollama(), .. A2A()];

    private static IEnumerable<TranscriptCase> Completions()
    {
        var f = new FormatTranscript("openai-completions", "{\"model\":\"m\",\"prompt\":\"hi\",\"stream\":true}"u8.ToArray(), Chat.ErrorBody());
        static string Chunk(string text, string? reason = null, string id = "c-1") =>
            $"data: {{\"id\":\"{id}\",\"object\":\"text_completion\",\"created\":17,\"model\":\"m\",\"choices\":[{{\"index\":0,\"text\":\"{text}\",\"finish_reason\":{(reason is null ? "null" : $"\"{reason}\"")}}}]}}\n\n";
        var answer = Replay("{\"id\":\"c-2\",\"object\":\"text_completion\",\"created\":18,\"model\":\"m\",\"choices\":[{\"index\":0,\"text\":\"Hello\",\"finish_reason\":\"stop\"}],\"usage\":{\"total_tokens\":5}}"u8.ToArray());
        var cut = f.Cut(Chunk("Hel"));
        var usage = "data: {\"id\":\"c-1\",\"object\":\"text_completion\",\"created\":17,\"model\":\"m\",\"choices\":[],\"usage\":{\"total_tokens\":5}}\n\n";
        yield return f.Good("healthy", Got(Chunk("Hi"), Chunk("", "stop"), Chat.Done), f.Whole(Chunk("Hi"), Chunk("", "stop"), Chat.Done));
        yield return f.Good("spliced", Got(Chunk("Hel"), Chunk("lo"), Chunk("", "stop"), Chat.Done), cut, answer);
        yield return f.Good("terminated", Loud(Chunk("Hel"), Chat.GatewayError), cut, f.Failed());
        yield return f.Bad(2, "an event lost", Got(Chunk("", "stop"), Chat.Done), f.Whole(Chunk("Hi"), Chunk("", "stop"), Chat.Done));
        yield return f.Bad(3, "a clean end in mid-answer", Got(Chunk("Hel")), cut, f.Failed());
        yield return f.Bad(4, "no end marker", Got(Chunk("Hi"), Chunk("", "stop")), f.Whole(Chunk("Hi"), Chunk("", "stop")));
        yield return f.Bad(4, "an end made up", Got(Chunk("Hel"), Chunk("", "stop"), Chat.Done), cut, f.Failed());
        yield return f.Bad(5, "the text twice", Got(Chunk("Hel"), Chunk("Hello"), Chunk("", "stop"), Chat.Done), cut, answer);
        yield return f.Bad(6, "another id", Got(Chunk("Hel"), Chunk("lo", id: "c-2"), Chunk("", "stop", "c-2"), Chat.Done), cut, answer);
        yield return f.Bad(6, "two finish reasons", Got(Chunk("Hel"), Chunk("lo"), Chunk("", "stop"), Chunk("", "stop"), Chat.Done), cut, answer);
        yield return f.Bad(6, "no finish reason", Got(Chunk("Hel"), Chunk("lo"), Chat.Done), cut, answer);
        yield return f.Bad(6, "usage nobody asked for", Got(Chunk("Hel"), Chunk("lo"), Chunk("", "stop"), usage, Chat.Done), cut, answer);
    }

    private static IEnumerable<TranscriptCase> Gemini()
    {
        var error = "{\"error\":{\"code\":502,\"message\":\"m\",\"status\":\"UNAVAILABLE\"}}";
        var f = new FormatTranscript("gemini", "{\"contents\":[]}"u8.ToArray(), Chat.Bytes(error), "/v1beta/models/g:streamGenerateContent?alt=sse");
        static string Part(string parts, string? reason = null, string id = "r-1", string model = "g") =>
            $"data: {{\"candidates\":[{{\"content\":{{\"parts\":[{parts}],\"role\":\"model\"}},\"index\":0{(reason is null ? "" : $",\"finishReason\":\"{reason}\"")}}}],\"modelVersion\":\"{model}\",\"responseId\":\"{id}\"}}\r\n\r\n";
        static string Text(string text, string? reason = null, string id = "r-1") => Part($"{{\"text\":\"{text}\"}}", reason, id);
        static AttemptRecord Whole(params string[] parts) => Replay(Chat.Bytes(
            $"{{\"candidates\":[{{\"content\":{{\"parts\":[{string.Join(',', parts)}]}},\"finishReason\":\"STOP\",\"index\":0}}],\"modelVersion\":\"g\",\"responseId\":\"r-2\"}}"));
        var loud = $"data: {error}\r\n\r\n";
        var answer = Whole("{\"text\":\"Hello\"}");
        var cut = f.Cut(Text("Hel"));
        var call = "{\"functionCall\":{\"name\":\"get\",\"args\":{\"a\":1}}}";
        yield return f.Good("healthy", Got(Text("Hi"), Text("", "STOP")), f.Whole(Text("Hi"), Text("", "STOP")));
        yield return f.Good("spliced", Got(Text("Hel"), Text("lo"), Text("", "STOP")), cut, answer);
        yield return f.Good("spliced after a call", Got(Part(call), Text("Hi"), Text("", "STOP")), f.Cut(Part(call)), Whole(call.Replace("{\"a\":1}", "{ \"a\": 1 }", StringComparison.Ordinal), "{\"text\":\"Hi\"}"));
        yield return f.Good("spliced after a heartbeat", Got(Text("Hel"), ": keepalive\n\n", Text("lo"), Text("", "STOP")), f.Stalled(Text("Hel")), answer);
        yield return f.Good("terminated", Loud(Text("Hel"), loud), cut, f.Failed());
        yield return f.Bad(1, "an event with a name", Got(Text("Hel"), "event: message\r\n" + Text("lo"), Text("", "STOP")), cut, answer);
        yield return f.Bad(1, "an end marker", Got(Text("Hel"), Text("lo"), Text("", "STOP"), Chat.Done), cut, answer);
        yield return f.Bad(3, "an error event with a name", Loud(Text("Hel"), "event: error\r\n" + loud), cut, f.Failed());
        yield return f.Bad(3, "a clean end in mid-answer", Got(Text("Hel")), cut, f.Failed());
        yield return f.Bad(4, "an end made up", Got(Text("Hel"), Text("", "STOP")), cut, f.Failed());
        yield return f.Bad(5, "the text twice", Got(Text("Hel"), Text("Hello"), Text("", "STOP")), cut, answer);
        yield return f.Bad(5, "a thought told as text", Got(Text("Hello", id: "r-2"), Text("", "STOP", "r-2")), f.Cut(""), Whole("{\"text\":\"Hello\",\"thought\":true}"));
        yield return f.Bad(6, "another response", Got(Text("Hel"), Text("lo", id: "r-2"), Text("", "STOP", "r-2")), cut, answer);
        yield return f.Bad(6, "another model version", Got(Text("Hel"), Part("{\"text\":\"lo\"}", "STOP", model: "h")), cut, answer);
        yield return f.Bad(6, "two finish reasons", Got(Text("Hel"), Text("lo", "STOP"), Text("", "STOP")), cut, answer);
        yield return f.Bad(7, "a call again", Got(Part(call), Part(call), Text("", "STOP")), f.Cut(Part(call)), Whole(call));
        yield return f.Bad(7, "other arguments", Got(Part(call), Text("", "STOP")), f.Cut(Part(call)), Whole(call.Replace("1", "2", StringComparison.Ordinal)));
        yield return f.Bad(9, "the heartbeat of another format", Got(Text("Hel"), ": ping\n\n", Text("lo"), Text("", "STOP")), f.Stalled(Text("Hel")), answer);
    }

    private static IEnumerable<TranscriptCase> Ollama()
    {
        var f = new FormatTranscript("ollama", "{\"model\":\"m\",\"messages\":[]}"u8.ToArray(), "{\"error\":\"m\"}"u8.ToArray());
        static string Line(string message, string done = "false", string model = "m") =>
            $"{{\"model\":\"{model}\",\"created_at\":\"t\",\"message\":{{\"role\":\"assistant\",{message}}},\"done\":{done}}}\n";
        static string Text(string text) => Line($"\"content\":\"{text}\"");
        var end = Line("\"content\":\"\"", "true,\"done_reason\":\"stop\"");
        static AttemptRecord Whole(string message, string reason = "stop") => Replay(Chat.Bytes(Line(message, $"true,\"done_reason\":\"{reason}\"")));
        var answer = Whole("\"content\":\"Hello\"");
        var cut = f.Cut(Text("Hel"));
        const string Call = "\"content\":\"\",\"tool_calls\":[{\"function\":{\"name\":\"get\",\"arguments\":{\"a\":1}}}]";
        yield return f.Good("healthy", Got(Text("Hi"), end), f.Whole(Text("Hi"), end));
        yield return f.Good("spliced", Got(Text("Hel"), Text("lo"), end), cut, answer);
        yield return f.Good("spliced after heartbeats", Got(Text("Hel"), Text(""), Text(""), Text("lo"), end), f.Stalled(Text("Hel")), answer);
        yield return f.Good("spliced after a call", Got(Line(Call), Text("Hi"), end), f.Cut(Line(Call)), Whole(Call.Replace("\"content\":\"\"", "\"content\":\"Hi\"", StringComparison.Ordinal)));
        yield return f.Good("terminated", Loud(Text("Hel"), "{\"error\":\"m\"}\n"), cut, f.Failed());
        yield return f.Bad(1, "half a line", Loud(Text("Hel"), "{\"model\""), f.Cut(Text("Hel") + "{\"model\""), f.Failed());
        yield return f.Bad(1, "a line that is no JSON", Got(Text("Hel"), ": keepalive\n", Text("lo"), end), cut, answer);
        yield return f.Bad(2, "a line lost", Got(Text("lo"), end), f.Whole(Text("Hel"), Text("lo"), end));
        yield return f.Bad(3, "a clean end in mid-answer", Got(Text("Hel")), cut, f.Failed());
        yield return f.Bad(3, "something after the end", Got(Text("Hel"), Text("lo"), end, end), cut, answer);
        yield return f.Bad(4, "an end made up", Got(Text("Hel"), end), cut, f.Failed());
        yield return f.Bad(4, "cut off by length, said to have stopped", Got(Text("Hel"), Text("lo"), end), cut, Whole("\"content\":\"Hello\"", "length"));
        yield return f.Bad(5, "the text twice", Got(Text("Hel"), Text("Hello"), end), cut, answer);
        yield return f.Bad(5, "thinking lost", Got(Text("Hello"), end), f.Cut(""), Whole("\"content\":\"Hello\",\"thinking\":\"hm\""));
        yield return f.Bad(6, "another model", Got(Text("Hel"), Line("\"content\":\"lo\"", model: "x"), end), cut, answer);
        yield return f.Bad(6, "a line without its time", Got(Text("Hel"), Text("lo").Replace("\"created_at\":\"t\",", "", StringComparison.Ordinal), end), cut, answer);
        yield return f.Bad(7, "a call again", Got(Line(Call), Line(Call), end), f.Cut(Line(Call)), Whole(Call));
    }

    private static IEnumerable<TranscriptCase> A2A()
    {
        var error = "{\"jsonrpc\":\"2.0\",\"id\":7,\"error\":{\"code\":-32603,\"message\":\"m\"}}";
        var f = new FormatTranscript("a2a", "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"message/stream\",\"params\":{}}"u8.ToArray(), Chat.Bytes(error));
        static string Update(string kind, string members, string task = "t-1", int id = 7) =>
            $"data: {{\"jsonrpc\":\"2.0\",\"id\":{id},\"result\":{{\"kind\":\"{kind}\",\"taskId\":\"{task}\",\"contextId\":\"c-1\",{members}}}}}\n\n";
        static string Artifact(string text, bool append = false, string task = "t-1", string name = "a", bool last = false, int id = 7) => Update(
            "artifact-update", $"\"artifact\":{{\"artifactId\":\"{name}\",\"parts\":[{{\"kind\":\"text\",\"text\":\"{text}\"}}]}},\"append\":{(append ? "true" : "false")},\"lastChunk\":{(last ? "true" : "false")}", task, id);
        var task = "data: {\"jsonrpc\":\"2.0\",\"id\":7,\"result\":{\"kind\":\"task\",\"id\":\"t-1\",\"contextId\":\"c-1\",\"status\":{\"state\":\"submitted\"}}}\n\n";
        var end = Update("status-update", "\"status\":{\"state\":\"completed\"},\"final\":true");
        var answer = Replay(Chat.Bytes("{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":{\"kind\":\"task\",\"id\":\"t-2\",\"contextId\":\"c-2\",\"status\":{\"state\":\"completed\"},\"artifacts\":[{\"artifactId\":\"x\",\"parts\":[{\"kind\":\"text\",\"text\":\"Hello\"}]}]}}"));
        var cut = f.Cut(task, Artifact("Hel"));
        var loud = $"data: {error}\n\n";
        yield return f.Good("healthy", Got(task, Artifact("Hi"), end), f.Whole(task, Artifact("Hi"), end));
        yield return f.Good("spliced", Got(task, Artifact("Hel"), Artifact("lo", append: true), end), cut, answer);
        yield return f.Good("terminated", Loud(task, Artifact("Hel"), loud), cut, f.Failed());
        yield return f.Bad(2, "an event lost", Got(task, end), f.Whole(task, Artifact("Hi"), end));
        yield return f.Bad(3, "a clean end in mid-answer", Got(task, Artifact("Hel")), cut, f.Failed());
        yield return f.Bad(3, "something after the final status", Got(task, Artifact("Hel"), Artifact("lo", append: true), end, end), cut, answer);
        yield return f.Bad(4, "an end made up", Got(task, Artifact("Hel"), end), cut, f.Failed());
        yield return f.Bad(5, "the text twice", Got(task, Artifact("Hel"), Artifact("Hello", append: true), end), cut, answer);
        yield return f.Bad(5, "the rest in an artifact of its own", Got(task, Artifact("Hel"), Artifact("lo", name: "x"), end), cut, answer);
        yield return f.Bad(6, "the artifact replaced", Got(task, Artifact("Hel"), Artifact("lo"), end), cut, answer);
        yield return f.Bad(6, "an append after the last chunk", Got(task, Artifact("Hel"), Artifact("l", append: true, last: true), Artifact("o", append: true), end), cut, answer);
        yield return f.Bad(6, "another task", Got(task, Artifact("Hel"), Artifact("lo", append: true, task: "t-2"), end), cut, answer);
        yield return f.Bad(6, "an answer to another call", Got(task, Artifact("Hel"), Artifact("lo", append: true, id: 8), end), cut, answer);
    }
}
