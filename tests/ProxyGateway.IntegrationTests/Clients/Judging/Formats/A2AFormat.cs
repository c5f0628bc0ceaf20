using System.Text.Json.Nodes;
using ProxyGateway.TestKit.Upstream;

namespace ProxyGateway.IntegrationTests.Clients.Judging.Formats;

internal sealed class A2AFormat : JudgedFormat
{
    public override string Path => "/a2a";

    public override bool AsksForStream(RecordedExchange request) => Rpc(request)["method"]!.GetValue<string>() == "message/stream";

    public override JudgedStream Stream(JudgedAnswer answer, RecordedExchange request) => new(
        [Result(request, new { kind = "task", id = TaskId(answer), contextId = ContextId(answer), status = new { state = "working" } })],
        [.. answer.Pieces.Select((p, i) => Result(request, new
        {
            kind = "artifact-update",
            taskId = TaskId(answer),
            contextId = ContextId(answer),
            artifact = new { artifactId = $"artifact{answer.Number}", parts = Text(p) },
            append = i > 0,
            lastChunk = i == answer.Pieces.Count - 1,
        }))],
        [Result(request, new { kind = "status-update", taskId = TaskId(answer), contextId = ContextId(answer), status = new { state = "completed" }, final = true })]);

    protected override object Whole(JudgedAnswer answer, RecordedExchange request) => Response(request, new
    {
        kind = "task",
        id = TaskId(answer),
        contextId = ContextId(answer),
        status = new { state = "completed" },
        artifacts = new[] { new { artifactId = $"artifact{answer.Number}", parts = Text(answer.Whole) } },
    });

    private static JsonNode Rpc(RecordedExchange request) => JsonNode.Parse(request.Body)!;

    private static string TaskId(JudgedAnswer answer) => $"task{answer.Number}";

    private static string ContextId(JudgedAnswer answer) => $"context{answer.Number}";

    private static object[] Text(string text) => [new { kind = "text", text }];

    private static string Result(RecordedExchange request, object result) => Data(Response(request, result));

    private static object Response(RecordedExchange request, object result) => new { jsonrpc = "2.0", id = Rpc(request)["id"], result };
}
