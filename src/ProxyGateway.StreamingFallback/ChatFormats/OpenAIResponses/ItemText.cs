using System.Text.Json;
using ProxyGateway.StreamingFallback.ChatFormats.Json;

namespace ProxyGateway.StreamingFallback.ChatFormats.OpenAIResponses;

/// <summary>Where an output item holds its text, by kind.</summary>
internal static class ItemText
{
    public static ItemKind KindOf(JsonElement item) => JsonMembers.Text(item, "type") switch
    {
        "message" => ItemKind.Message,
        "reasoning" => ItemKind.Reasoning,
        "function_call" => ItemKind.FunctionCall,
        "custom_tool_call" => ItemKind.CustomToolCall,
        _ => ItemKind.Other,
    };

    /// <summary>Whether the item calls a tool: those of clients and those of the server.</summary>
    public static bool IsToolCall(JsonElement item) => JsonMembers.Text(item, "type") is { } type && type.EndsWith("_call", StringComparison.Ordinal);

    public static PartKind? PartKindOf(JsonElement part) => JsonMembers.Text(part, "type") switch
    {
        "output_text" => PartKind.OutputText,
        "refusal" => PartKind.Refusal,
        "reasoning_text" => PartKind.ReasoningText,
        "summary_text" => PartKind.SummaryText,
        _ => null,
    };

    public static bool Fits(PartKind part, ItemKind item) => part switch
    {
        PartKind.OutputText or PartKind.Refusal => item == ItemKind.Message,
        _ => item == ItemKind.Reasoning,
    };

    /// <summary>The text of a part; null where there is none that can be compared.</summary>
    public static byte[]? Of(JsonElement part, PartKind kind) => JsonText.GetUtf8(part, kind == PartKind.Refusal ? "refusal"u8 : "text"u8);

    /// <summary>The arguments or the input of a call; null where there are none that can be compared.</summary>
    public static byte[]? InputOf(JsonElement item, ItemKind kind) => JsonText.GetUtf8(item, kind == ItemKind.FunctionCall ? "arguments"u8 : "input"u8);

    /// <summary>The parts of an item of which <paramref name="kind"/> is one.</summary>
    public static JsonElement[] PartsOf(JsonElement item, PartKind kind) => JsonMembers.Array(item, kind == PartKind.SummaryText ? "summary" : "content");

    /// <summary>Whether a client could execute half a call: a function's arguments that are no JSON.</summary>
    public static bool IsBrokenCall(JsonElement item) =>
        KindOf(item) == ItemKind.FunctionCall
        && item.TryGetProperty("arguments"u8, out var arguments)
        && arguments.ValueKind != JsonValueKind.Null
        && !(InputOf(item, ItemKind.FunctionCall) is { } text && JsonText.IsWholeOrEmpty(text));

    /// <summary>Whether a message or a reasoning item says anything.</summary>
    public static bool SaysAnything(JsonElement item)
    {
        foreach (var part in (JsonElement[])[.. JsonMembers.Array(item, "summary"), .. JsonMembers.Array(item, "content")])
        {
            if (PartKindOf(part) is not { } kind || Of(part, kind) is not { Length: 0 })
            {
                return true;
            }
        }

        return false;
    }
}
