using System.Text.Json.Nodes;

namespace ProxyGateway.IntegrationTests.Clients.Judging;

/// <summary>A tool call as a client tells it back to the model.</summary>
internal sealed record UnderstoodCall(string Name, string Arguments)
{
    /// <summary>The agent's own call in a request that goes on from it: <c>tool_use</c> or <c>function_call</c>.</summary>
    public static UnderstoodCall? Find(JsonNode? node) => node switch
    {
        JsonObject o when Says(o, "type", "tool_use") && o["id"]!.GetValue<string>().StartsWith(JudgedAnswer.CallIdPrefix, StringComparison.Ordinal) =>
            new(o["name"]!.GetValue<string>(), o["input"]!.ToJsonString()),
        JsonObject o when Says(o, "type", "function_call") && o["call_id"]!.GetValue<string>().StartsWith(JudgedAnswer.CallIdPrefix, StringComparison.Ordinal) =>
            new(o["name"]!.GetValue<string>(), o["arguments"]!.GetValue<string>()),
        JsonObject o => o.Select(m => Find(m.Value)).FirstOrDefault(c => c is not null),
        JsonArray a => a.Select(Find).FirstOrDefault(c => c is not null),
        _ => null,
    };

    private static bool Says(JsonObject o, string name, string value) => o[name] is JsonValue v && v.TryGetValue<string>(out var said) && said == value;
}
