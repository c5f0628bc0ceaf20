using System.Text;
using System.Text.Json;

namespace ProxyGateway.StreamingFallback.ChatFormats.OpenAIResponses;

/// <summary>
/// The events between the beginning and the end of a server's own tool call, for streams that are made from an answer: some
/// clients take the call from them and its end for the result of a call they never saw.
/// </summary>
internal static class ServerToolEvents
{
    public static bool Knows(JsonElement item) => StepsOf(item).Length > 0;

    public static void Write(OpenAIResponsesStreamWriter events, JsonElement item, int index)
    {
        var type = JsonMembers.Text(item, "type");
        foreach (var step in StepsOf(item))
        {
            switch (step)
            {
                case "code":
                    WriteText(events, "response.code_interpreter_call_code", "code", item, index);
                    break;
                case "arguments":
                    WriteText(events, "response.mcp_call_arguments", "arguments", item, index);
                    break;
                default:
                    events.End(events.BeginOf(Encoding.UTF8.GetBytes($"response.{type}.{step}"), index));
                    break;
            }
        }
    }

    private static string[] StepsOf(JsonElement item) => JsonMembers.Text(item, "type") switch
    {
        "web_search_call" or "file_search_call" => ["in_progress", "searching", "completed"],
        "image_generation_call" => ["in_progress", "generating", "completed"],
        "code_interpreter_call" => ["in_progress", "code", "interpreting", "completed"],
        "mcp_call" => ["in_progress", "arguments", HasError(item) ? "failed" : "completed"],
        "mcp_list_tools" => ["in_progress", HasError(item) ? "failed" : "completed"],
        _ => [],
    };

    private static void WriteText(OpenAIResponsesStreamWriter events, string name, string member, JsonElement item, int index)
    {
        var text = Encoding.UTF8.GetBytes(JsonMembers.Text(item, member) ?? "");
        events.WriteDeltas(Encoding.UTF8.GetBytes($"{name}.delta"), index, text);
        var done = events.BeginOf(Encoding.UTF8.GetBytes($"{name}.done"), index);
        done.WriteString(member, text);
        events.End(done);
    }

    private static bool HasError(JsonElement item) => item.TryGetProperty("error"u8, out var error) && error.ValueKind != JsonValueKind.Null;
}
