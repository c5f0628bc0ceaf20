using System.Text;

namespace ProxyGateway.Tests.Allocations;

/// <summary>Events as servers send them, many of a kind.</summary>
internal static class EventTexts
{
    public const int Count = 2000;

    private const string Head = "data: {\"id\":\"chatcmpl-1\",\"object\":\"chat.completion.chunk\",\"created\":1700000000,\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{";
    private const string Tail = "},\"finish_reason\":null}]}\n\n";

    public static byte[] Role { get; } = Encoding.UTF8.GetBytes(Head + "\"role\":\"assistant\",\"content\":\"\"" + Tail);

    /// <summary>The finish and the end marker.</summary>
    public static byte[] End { get; } = Encoding.UTF8.GetBytes(Head + "},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n");

    public static byte[][] Of(string kind) => [.. Enumerable.Range(0, Count).Select(i => Encoding.UTF8.GetBytes(kind switch
    {
        "plain text" => Head + $"\"content\":\"word {i}\"" + Tail,
        "escaped text" => Head + $"\"content\":\"line {i}\\n\\u00e9\"" + Tail,
        "padded text" => Head + $"\"content\":\"word {i}\"" + $"}},\"finish_reason\":null}}],\"obfuscation\":\"{new string('x', i % 7)}\"}}\n\n",
        "reasoning" => Head + $"\"reasoning_content\":\"thought {i}\"" + Tail,
        "tool call" => Head + "\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":\"" + (i % 10) + "\"}}]" + Tail,
        "comment" => ": keepalive\n\n",
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, null),
    }))];
}
