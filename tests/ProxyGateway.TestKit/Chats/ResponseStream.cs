using System.Globalization;
using System.Text;

namespace ProxyGateway.TestKit.Chats;

/// <summary>Builds what a server of the Responses API sends and what its clients ask. Events are numbered where they are put together.</summary>
public static class ResponseStream
{
    public const string Id = "run1";
    public const string Done = "data: [DONE]\n\n";
    public const string Failed = "event: error\ndata: {\"type\":\"error\",\"sequence_number\":#,\"code\":\"server_error\",\"message\":\"no\",\"param\":null}\n\n";

    /// <summary>Stands where the next number goes.</summary>
    private const string Number = "\"sequence_number\":#";

    public static byte[] ErrorBody { get; } = Chat.ErrorBody("no", code: "no");

    public static string Response(string status, string output = "", string id = Id, string more = "") =>
        $"\"response\":{{\"id\":\"resp_{id}\",\"object\":\"response\",\"created_at\":17,\"model\":\"m\",\"status\":\"{status}\",\"output\":[{output}]{more}}}";

    public static byte[] Request(bool stream = true) => Chat.Bytes($"{{\"model\":\"m\",\"input\":\"hi\",\"store\":false{(stream ? ",\"stream\":true" : "")}}}");

    public static string Created(string id = Id) => Event("response.created", Response("in_progress", id: id));

    public static string InProgress(string id = Id) => Event("response.in_progress", Response("in_progress", id: id));

    public static string Added(int output, string item) => Event("response.output_item.added", $"\"output_index\":{output},\"item\":{item}");

    public static string ItemDone(int output, string item) => Event("response.output_item.done", $"\"output_index\":{output},\"item\":{item}");

    /// <summary>An event about an item.</summary>
    public static string Of(string type, int output, string item, string members) => Event(type, $"\"item_id\":\"{item}\",\"output_index\":{output},{members}");

    public static string Delta(string name, int output, string item, string text, string place = "\"content_index\":0,") =>
        Of($"response.{name}.delta", output, item, $"{place}\"delta\":{Json.Quote(text)}");

    public static string Completed(string output, string status = "completed", string id = Id) =>
        Event("response." + status, Response(status, output, id, ",\"usage\":{\"input_tokens\":3,\"output_tokens\":5,\"total_tokens\":8}"));

    public static string Event(string type, string members) => $"data: {{\"type\":\"{type}\",{Number},{members}}}\n\n";

    public static string PartOf(string type, string text) => type switch
    {
        "refusal" => $"{{\"type\":\"refusal\",\"refusal\":{Json.Quote(text)}}}",
        "output_text" => $"{{\"type\":\"output_text\",\"annotations\":[],\"text\":{Json.Quote(text)}}}",
        _ => $"{{\"type\":\"{type}\",\"text\":{Json.Quote(text)}}}",
    };

    public static string MessageItem(string id, string status, params string[] parts) =>
        $"{{\"id\":\"{id}\",\"type\":\"message\",\"role\":\"assistant\",\"status\":\"{status}\",\"content\":[{string.Join(',', parts)}]}}";

    public static string ReasoningItem(string id, params string[] summary) =>
        $"{{\"id\":\"{id}\",\"type\":\"reasoning\",\"summary\":[{string.Join(',', summary)}]{(summary.Length > 0 ? ",\"encrypted_content\":\"x\"" : "")}}}";

    public static string CallItem(string id, string call, string name, string arguments, string status = "completed") =>
        $"{{\"id\":\"{id}\",\"type\":\"function_call\",\"call_id\":\"{call}\",\"name\":\"{name}\",\"arguments\":{Json.Quote(arguments)},\"status\":\"{status}\"}}";

    public static string CustomItem(string id, string call, string name, string input, string status = "completed") =>
        $"{{\"id\":\"{id}\",\"type\":\"custom_tool_call\",\"call_id\":\"{call}\",\"name\":\"{name}\",\"input\":{Json.Quote(input)},\"status\":\"{status}\"}}";

    /// <summary>The events of a message with one part.</summary>
    public static IEnumerable<string> Message(int output, string type, params string[] pieces)
    {
        var (id, text, name) = ($"msg_{output}_{Id}", string.Concat(pieces), type == "refusal" ? "refusal" : "output_text");
        yield return Added(output, MessageItem(id, "in_progress"));
        yield return Of("response.content_part.added", output, id, $"\"content_index\":0,\"part\":{PartOf(type, "")}");
        foreach (var piece in pieces)
        {
            yield return Delta(name, output, id, piece);
        }

        yield return Of($"response.{name}.done", output, id, $"\"content_index\":0,\"{(type == "refusal" ? type : "text")}\":{Json.Quote(text)}");
        yield return Of("response.content_part.done", output, id, $"\"content_index\":0,\"part\":{PartOf(type, text)}");
        yield return ItemDone(output, WholeMessage(output, type, text));
    }

    public static string WholeMessage(int output, string type, string text) => MessageItem($"msg_{output}_{Id}", "completed", PartOf(type, text));

    public static IEnumerable<string> Reasoning(int output, params string[] pieces)
    {
        var (id, text) = ($"rs_{output}_{Id}", string.Concat(pieces));
        yield return Added(output, ReasoningItem(id));
        yield return Of("response.reasoning_summary_part.added", output, id, $"\"summary_index\":0,\"part\":{PartOf("summary_text", "")}");
        foreach (var piece in pieces)
        {
            yield return Delta("reasoning_summary_text", output, id, piece, "\"summary_index\":0,");
        }

        yield return Of("response.reasoning_summary_text.done", output, id, $"\"summary_index\":0,\"text\":{Json.Quote(text)}");
        yield return Of("response.reasoning_summary_part.done", output, id, $"\"summary_index\":0,\"part\":{PartOf("summary_text", text)}");
        yield return ItemDone(output, WholeReasoning(output, text));
    }

    public static string WholeReasoning(int output, string text) => ReasoningItem($"rs_{output}_{Id}", PartOf("summary_text", text));

    public static IEnumerable<string> Call(int output, string name, params string[] pieces)
    {
        var (id, arguments) = ($"fc_{output}_{Id}", string.Concat(pieces));
        yield return Added(output, CallItem(id, $"call_{output}", name, "", "in_progress"));
        foreach (var piece in pieces)
        {
            yield return Delta("function_call_arguments", output, id, piece, "");
        }

        yield return Of("response.function_call_arguments.done", output, id, $"\"name\":\"{name}\",\"arguments\":{Json.Quote(arguments)}");
        yield return ItemDone(output, WholeCall(output, name, arguments));
    }

    public static string WholeCall(int output, string name, string arguments) => CallItem($"fc_{output}_{Id}", $"call_{output}", name, arguments);

    /// <summary>A whole response, not streamed.</summary>
    public static byte[] Whole(string id, string status, params string[] items)
    {
        var response = Response(status, string.Join(',', items), id, ",\"usage\":{\"input_tokens\":3,\"output_tokens\":5,\"total_tokens\":8}");
        return Chat.Bytes(response["\"response\":".Length..]);
    }

    /// <summary>The events with their numbers.</summary>
    public static byte[] Numbered(IEnumerable<string> events, int first = 0)
    {
        var stream = new StringBuilder();
        foreach (var e in events)
        {
            var numbered = e.Contains(Number, StringComparison.Ordinal);
            stream.Append(numbered ? e.Replace(Number, "\"sequence_number\":" + first.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal) : e);
            first += numbered ? 1 : 0;
        }

        return Encoding.UTF8.GetBytes(stream.ToString());
    }
}
