using System.Text.Json.Nodes;
using ProxyGateway.TestKit.Upstream;

namespace ProxyGateway.IntegrationTests.Clients.Judging.Formats;

/// <summary>Calls come whole in this format: one in flight is one that came, in an answer that did not end.</summary>
internal sealed class OllamaFormat : JudgedFormat
{
    public override string Path => "/api/chat";

    public override string ContentType => "application/x-ndjson";

    public override JudgedStream Stream(JudgedAnswer answer, RecordedExchange request) => new(
        [Line(Part(answer, "", false))],
        answer.IsCall ? [Line(Part(answer, null, false))] : [.. answer.Pieces.Select(p => Line(Part(answer, p, false)))],
        [Line(Part(answer, "", true))]);

    protected override object Whole(JudgedAnswer answer, RecordedExchange request) => Part(answer, answer.IsCall ? null : answer.Whole, true);

    private static string Line(object value) => Json(value) + "\n";

    /// <summary>A part without text has the call.</summary>
    private static Dictionary<string, object?> Part(JudgedAnswer answer, string? text, bool done)
    {
        var message = new Dictionary<string, object?> { ["role"] = "assistant", ["content"] = text ?? "" };
        if (text is null)
        {
            message["tool_calls"] = new[] { new { function = new { name = JudgedAnswer.ToolName, arguments = JsonNode.Parse(answer.Whole) } } };
        }

        var part = new Dictionary<string, object?>
        {
            ["model"] = "judged-model",
            ["created_at"] = $"2026-01-01T00:00:0{Math.Min(answer.Number, 9)}Z",
            ["message"] = message,
            ["done"] = done,
        };
        if (done)
        {
            part["done_reason"] = "stop";
            part["eval_count"] = 7;
        }

        return part;
    }
}
