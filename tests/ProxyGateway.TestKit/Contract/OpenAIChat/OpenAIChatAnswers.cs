using System.Text.Json;

namespace ProxyGateway.TestKit.Contract.OpenAIChat;

/// <summary>Reads whole chat completions.</summary>
internal static class OpenAIChatAnswers
{
    public static DecodedMessage? Read(byte[] body)
    {
        try
        {
            using var document = JsonDocument.Parse(body, ContractJson.Options);
            return Read(document.RootElement);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static DecodedMessage? Read(JsonElement root)
    {
        if (root.ValueKind != JsonValueKind.Object || JsonStrings.TryGet(root, "error", out _)
            || !JsonStrings.TryGet(root, "choices", out var choices) || choices.ValueKind != JsonValueKind.Array || choices.GetArrayLength() == 0)
        {
            return null;
        }

        var answer = new DecodedMessage();
        if (JsonStrings.Get(root, "id") is { } id)
        {
            answer.Ids.Add(id);
        }

        if (JsonStrings.Get(root, "model") is { } model)
        {
            answer.Models.Add(model);
        }

        answer.UsageCount = JsonStrings.TryGet(root, "usage", out var usage) && usage.ValueKind == JsonValueKind.Object ? 1 : 0;
        var position = 0;
        foreach (var choice in choices.EnumerateArray())
        {
            var index = OpenAIChatEvents.Index(choice, position++);
            if (JsonStrings.Get(choice, "finish_reason") is not { Length: > 0 } reason || reason == "error" || !JsonStrings.TryGet(choice, "message", out var message))
            {
                return null;
            }

            answer.Choices.Add(index);
            answer.Finishes[index] = reason;
            List<ContractPart> parts = [];
            OpenAIChatEvents.ReadParts(message, index, parts);
            parts.ForEach(answer.Append);
        }

        return answer;
    }
}
