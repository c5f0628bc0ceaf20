using System.Text.Json.Nodes;
using ProxyGateway.TestKit.Upstream;

namespace ProxyGateway.IntegrationTests.Clients.Judging.Formats;

/// <summary>Calls come whole in this format: one in flight is one that came, in an answer that did not end.</summary>
internal sealed class GeminiFormat : JudgedFormat
{
    private const string Models = "/v1beta/models/";

    public override string Path => Models;

    public override bool Serves(string target) => target.StartsWith(Models, StringComparison.Ordinal);

    public override bool AsksForStream(RecordedExchange request) => request.Target.Contains(":streamGenerateContent", StringComparison.Ordinal);

    public override JudgedStream Stream(JudgedAnswer answer, RecordedExchange request) => new(
        [": ready\r\n\r\n"],
        answer.IsCall
            ? [Block(Content(answer, [Call(answer)], null))]
            : [.. answer.Pieces.Select(p => Block(Content(answer, [new { text = p }], null)))],
        [Block(Content(answer, [new { text = "" }], "STOP"))]);

    protected override object Whole(JudgedAnswer answer, RecordedExchange request) =>
        Content(answer, [answer.IsCall ? Call(answer) : new { text = answer.Whole }], "STOP");

    private static string Block(object value) => $"data: {Json(value)}\r\n\r\n";

    private static object Call(JudgedAnswer answer) => new { functionCall = new { name = JudgedAnswer.ToolName, args = JsonNode.Parse(answer.Whole) } };

    private static Dictionary<string, object?> Content(JudgedAnswer answer, object[] parts, string? finish)
    {
        var candidate = new Dictionary<string, object?> { ["content"] = new { role = "model", parts }, ["index"] = 0 };
        var content = new Dictionary<string, object?>
        {
            ["candidates"] = new[] { candidate },
            ["modelVersion"] = "judged-model",
            ["responseId"] = $"judged{answer.Number}",
        };
        if (finish is not null)
        {
            candidate["finishReason"] = finish;
            content["usageMetadata"] = new { promptTokenCount = 5, candidatesTokenCount = 7, totalTokenCount = 12 };
        }

        return content;
    }
}
