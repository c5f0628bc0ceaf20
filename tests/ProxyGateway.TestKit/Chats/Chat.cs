using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace ProxyGateway.TestKit.Chats;

/// <summary>One choice of a chat answer, as pieces that a stream would send one by one.</summary>
public sealed record ChatChoice
{
    public IReadOnlyList<string> Reasoning { get; init; } = [];

    public IReadOnlyList<string> Text { get; init; } = [];

    public IReadOnlyList<string> Refusal { get; init; } = [];

    public IReadOnlyList<ChatToolCall> Tools { get; init; } = [];

    /// <summary>Null: <c>tool_calls</c> where there are tool calls, else <c>stop</c>.</summary>
    public string? Finish { get; init; }

    public string FinishReason => Finish ?? (Tools.Count > 0 ? "tool_calls" : "stop");

    public static ChatChoice Of(params string[] text) => new() { Text = text };

    public static ChatChoice Call(params ChatToolCall[] tools) => new() { Tools = tools };
}

/// <summary>One tool call, its arguments in the pieces a stream would send.</summary>
public sealed record ChatToolCall(string Id, string Name, params string[] Arguments);

/// <summary>Builds what an OpenAI-compatible server sends and what its clients ask.</summary>
public sealed record Chat
{
    private static readonly JsonSerializerOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static Chat Default { get; } = new();

    /// <summary>The end marker.</summary>
    public const string Done = "data: [DONE]\n\n";

    /// <summary>The gateway's loud ending.</summary>
    public const string GatewayError =
        "data: {\"error\":{\"message\":\"upstream failed mid-stream\",\"type\":\"server_error\",\"param\":null,\"code\":\"upstream_error\"},\"choices\":null}\n\n";

    public const string Heartbeat = ": keepalive\n";

    public string Id { get; init; } = "chatcmpl-1";

    public string Model { get; init; } = "m";

    public long Created { get; init; } = 1700000000;

    /// <summary>The line end of events.</summary>
    public string LineEnd { get; init; } = "\n";

    public string Role(int choice = 0) => Delta(choice, "\"role\":\"assistant\",\"content\":\"\"");

    public string Text(string text, int choice = 0) => Delta(choice, $"\"content\":{Quote(text)}");

    public string Reasoning(string text, int choice = 0) => Delta(choice, $"\"reasoning_content\":{Quote(text)}");

    public string Refusal(string text, int choice = 0) => Delta(choice, $"\"refusal\":{Quote(text)}");

    public string Tool(int index, string id, string name, string arguments = "", int choice = 0) =>
        Delta(choice, $"\"tool_calls\":[{{\"index\":{index},\"id\":{Quote(id)},\"type\":\"function\",\"function\":{{\"name\":{Quote(name)},\"arguments\":{Quote(arguments)}}}}}]");

    public string Arguments(int index, string arguments, int choice = 0) =>
        Delta(choice, $"\"tool_calls\":[{{\"index\":{index},\"function\":{{\"arguments\":{Quote(arguments)}}}}}]");

    public string Finish(string reason = "stop", int choice = 0) => Chunk($"{{\"index\":{choice},\"delta\":{{}},\"logprobs\":null,\"finish_reason\":{Quote(reason)}}}");

    public string Usage(int prompt = 7, int completion = 5) => Event($"{Head("chat.completion.chunk")},\"choices\":[],\"usage\":{UsageObject(prompt, completion)}}}");

    public string Delta(int choice, string members) => Chunk($"{{\"index\":{choice},\"delta\":{{{members}}},\"logprobs\":null,\"finish_reason\":null}}");

    public string Chunk(string choice) => Event($"{Head("chat.completion.chunk")},\"choices\":[{choice}]}}");

    public string Event(string data) => $"data: {data}{LineEnd}{LineEnd}";

    /// <summary>The events of a whole stream.</summary>
    public IReadOnlyList<string> Events(IReadOnlyList<ChatChoice> choices, bool usage = false, bool done = true)
    {
        List<string> events = [];
        for (var i = 0; i < choices.Count; i++)
        {
            var (choice, n) = (choices[i], i);
            events.Add(Role(n));
            events.AddRange(choice.Reasoning.Select(t => Reasoning(t, n)));
            events.AddRange(choice.Text.Select(t => Text(t, n)));
            events.AddRange(choice.Refusal.Select(t => Refusal(t, n)));
            for (var t = 0; t < choice.Tools.Count; t++)
            {
                var index = t;
                events.Add(Tool(index, choice.Tools[t].Id, choice.Tools[t].Name, choice: n));
                events.AddRange(choice.Tools[t].Arguments.Select(a => Arguments(index, a, n)));
            }
        }

        for (var i = 0; i < choices.Count; i++)
        {
            events.Add(Finish(choices[i].FinishReason, i));
        }

        if (usage)
        {
            events.Add(Usage());
        }

        if (done)
        {
            events.Add($"data: [DONE]{LineEnd}{LineEnd}");
        }

        return events;
    }

    /// <summary>A whole stream of one choice that says <paramref name="text"/>, piece by piece.</summary>
    public byte[] Stream(params string[] text) => Bytes([.. Events([ChatChoice.Of(text)])]);

    public byte[] Stream(ChatChoice choice, bool usage = false) => Bytes([.. Events([choice], usage)]);

    /// <summary>A whole non-streaming answer.</summary>
    public byte[] Completion(params string[] text) => Completion([ChatChoice.Of(text)]);

    public byte[] Completion(IReadOnlyList<ChatChoice> choices, bool usage = true)
    {
        var all = choices.Select((c, i) => $"{{\"index\":{i},\"message\":{Message(c)},\"logprobs\":null,\"finish_reason\":{Quote(c.FinishReason)}}}");
        var tail = usage ? $",\"usage\":{UsageObject(7, 5)}" : "";
        return Bytes($"{Head("chat.completion")},\"choices\":[{string.Join(',', all)}]{tail}}}");
    }

    /// <summary>A client's request body.</summary>
    public byte[] Request(bool stream = true, int n = 1, bool includeUsage = false, string prompt = "hi")
    {
        var body = new StringBuilder($"{{\"model\":{Quote(Model)},\"messages\":[{{\"role\":\"user\",\"content\":{Quote(prompt)}}}]");
        if (n != 1)
        {
            body.Append($",\"n\":{n}");
        }

        if (stream)
        {
            body.Append(",\"stream\":true");
        }

        if (includeUsage)
        {
            body.Append(",\"stream_options\":{\"include_usage\":true}");
        }

        return Bytes(body.Append('}').ToString());
    }

    /// <summary>An error body as the format has it.</summary>
    public static byte[] ErrorBody(string message = "upstream failed", string type = "server_error", string code = "upstream_error") =>
        Bytes($"{{\"error\":{{\"message\":{Quote(message)},\"type\":{Quote(type)},\"param\":null,\"code\":{Quote(code)}}}}}");

    public static byte[] Bytes(params string[] parts) => Encoding.UTF8.GetBytes(string.Concat(parts));

    private static string Quote(string text) => JsonSerializer.Serialize(text, Plain);

    private static string UsageObject(int prompt, int completion) =>
        $"{{\"prompt_tokens\":{prompt},\"completion_tokens\":{completion},\"total_tokens\":{prompt + completion}}}";

    private static string Message(ChatChoice choice)
    {
        var text = string.Concat(choice.Text);
        var message = new StringBuilder($"{{\"role\":\"assistant\",\"content\":{(text.Length == 0 ? "null" : Quote(text))}");
        if (choice.Reasoning.Count > 0)
        {
            message.Append($",\"reasoning_content\":{Quote(string.Concat(choice.Reasoning))}");
        }

        message.Append($",\"refusal\":{(choice.Refusal.Count == 0 ? "null" : Quote(string.Concat(choice.Refusal)))}");
        if (choice.Tools.Count > 0)
        {
            var calls = choice.Tools.Select(t =>
                $"{{\"id\":{Quote(t.Id)},\"type\":\"function\",\"function\":{{\"name\":{Quote(t.Name)},\"arguments\":{Quote(string.Concat(t.Arguments))}}}}}");
            message.Append($",\"tool_calls\":[{string.Join(',', calls)}]");
        }

        return message.Append('}').ToString();
    }

    private string Head(string kind) => $"{{\"id\":{Quote(Id)},\"object\":\"{kind}\",\"created\":{Created},\"model\":{Quote(Model)}";
}
