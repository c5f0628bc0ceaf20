using System.Text.Json.Nodes;

namespace ProxyGateway.IntegrationTests.Clients.Judging;

/// <summary>What a client's caller ended up with, without an exception.</summary>
/// <param name="Ended">Whether the client says that the answer has come to its regular end.</param>
internal sealed record JudgedReply(string Text, string? CallName, string CallArguments, bool Ended)
{
    /// <summary>Whether it is the answer to the letter; <paramref name="expected"/> is its text.</summary>
    public bool IsWhole(Situation situation, string expected) => Ended && (situation == Situation.Tool
        ? Text.Length == 0 && CallName == JudgedAnswer.ToolName && SameJson(CallArguments, JudgedAnswer.Arguments)
        : CallName is null && Text == expected);

    private static bool SameJson(string left, string right)
    {
        try
        {
            return JsonNode.DeepEquals(JsonNode.Parse(left), JsonNode.Parse(right));
        }
        catch (System.Text.Json.JsonException)
        {
            return false;
        }
    }
}
