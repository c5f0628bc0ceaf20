using System.Text.Json.Nodes;
using ProxyGateway.TestKit.Upstream;

namespace ProxyGateway.IntegrationTests.Clients.Judging.Formats;

internal sealed class MessagesFormat : JudgedFormat
{
    public override string Path => "/v1/messages";

    public override JudgedStream Stream(JudgedAnswer answer, RecordedExchange request)
    {
        var start = Event("message_start", new { type = "message_start", message = Message(answer, [], null, new { input_tokens = 5, output_tokens = 1 }) });
        var block = Event("content_block_start", new
        {
            type = "content_block_start",
            index = 0,
            content_block = answer.IsCall ? (object)new { type = "tool_use", id = answer.CallId, name = JudgedAnswer.ToolName, input = new { } } : new { type = "text", text = "" },
        });
        string[] deltas = [.. answer.Pieces.Select(p => Event("content_block_delta", new
        {
            type = "content_block_delta",
            index = 0,
            delta = answer.IsCall ? (object)new { type = "input_json_delta", partial_json = p } : new { type = "text_delta", text = p },
        }))];
        return new(
            answer.IsCall ? [start] : [start, block],
            answer.IsCall ? [block, .. deltas] : deltas,
            [
                Event("content_block_stop", new { type = "content_block_stop", index = 0 }),
                Event("message_delta", new { type = "message_delta", delta = new { stop_reason = StopReason(answer), stop_sequence = (string?)null }, usage = new { output_tokens = 7 } }),
                Event("message_stop", new { type = "message_stop" }),
            ]);
    }

    protected override object Whole(JudgedAnswer answer, RecordedExchange request) => Message(
        answer,
        [answer.IsCall ? new { type = "tool_use", id = answer.CallId, name = JudgedAnswer.ToolName, input = JsonNode.Parse(answer.Whole) } : new { type = "text", text = answer.Whole }],
        StopReason(answer),
        new { input_tokens = 5, output_tokens = 7 });

    private static string StopReason(JudgedAnswer answer) => answer.IsCall ? "tool_use" : "end_turn";

    private static object Message(JudgedAnswer answer, object[] content, string? stopReason, object usage) => new
    {
        id = $"msg_judged{answer.Number}",
        type = "message",
        role = "assistant",
        model = "judged-model",
        content,
        stop_reason = stopReason,
        stop_sequence = (string?)null,
        usage,
    };
}
