using ProxyGateway.TestKit.Upstream;

namespace ProxyGateway.IntegrationTests.Clients.Judging.Formats;

internal sealed class ResponsesFormat : JudgedFormat
{
    public override string Path => "/v1/responses";

    public override JudgedStream Stream(JudgedAnswer answer, RecordedExchange request)
    {
        var number = 0;
        string Next(string type, Func<int, object> value) => Event(type, value(number++));
        var id = ItemId(answer);
        string[] opening =
        [
            Next("response.created", n => new { type = "response.created", sequence_number = n, response = Response(answer, "in_progress", []) }),
            Next("response.in_progress", n => new { type = "response.in_progress", sequence_number = n, response = Response(answer, "in_progress", []) }),
        ];
        var added = Next("response.output_item.added", n => new { type = "response.output_item.added", sequence_number = n, output_index = 0, item = Item(answer, whole: false) });
        if (answer.IsCall)
        {
            return new(
                opening,
                [added, .. answer.Pieces.Select(p => Next("response.function_call_arguments.delta", n => new { type = "response.function_call_arguments.delta", sequence_number = n, item_id = id, output_index = 0, delta = p })).ToArray()],
                [
                    Next("response.function_call_arguments.done", n => new { type = "response.function_call_arguments.done", sequence_number = n, item_id = id, output_index = 0, name = JudgedAnswer.ToolName, arguments = answer.Whole }),
                    .. End(),
                ]);
        }

        var part = Next("response.content_part.added", n => new { type = "response.content_part.added", sequence_number = n, item_id = id, output_index = 0, content_index = 0, part = Text("") });
        return new(
            [.. opening, added, part],
            [.. answer.Pieces.Select(p => Next("response.output_text.delta", n => new { type = "response.output_text.delta", sequence_number = n, item_id = id, output_index = 0, content_index = 0, delta = p, logprobs = Array.Empty<object>() })).ToArray()],
            [
                Next("response.output_text.done", n => new { type = "response.output_text.done", sequence_number = n, item_id = id, output_index = 0, content_index = 0, text = answer.Whole, logprobs = Array.Empty<object>() }),
                Next("response.content_part.done", n => new { type = "response.content_part.done", sequence_number = n, item_id = id, output_index = 0, content_index = 0, part = Text(answer.Whole) }),
                .. End(),
            ]);

        string[] End() =>
        [
            Next("response.output_item.done", n => new { type = "response.output_item.done", sequence_number = n, output_index = 0, item = Item(answer, whole: true) }),
            Next("response.completed", n => new { type = "response.completed", sequence_number = n, response = Response(answer, "completed", [Item(answer, whole: true)]) }),
        ];
    }

    protected override object Whole(JudgedAnswer answer, RecordedExchange request) => Response(answer, "completed", [Item(answer, whole: true)]);

    private static string ItemId(JudgedAnswer answer) => (answer.IsCall ? "fc_judged" : "msg_judged") + answer.Number;

    private static object Text(string text) => new { type = "output_text", text, annotations = Array.Empty<object>(), logprobs = Array.Empty<object>() };

    private static object Item(JudgedAnswer answer, bool whole)
    {
        var status = whole ? "completed" : "in_progress";
        return answer.IsCall
            ? new { id = ItemId(answer), type = "function_call", status, call_id = answer.CallId, name = JudgedAnswer.ToolName, arguments = whole ? answer.Whole : "" }
            : new { id = ItemId(answer), type = "message", status, role = "assistant", content = whole ? new[] { Text(answer.Whole) } : [] };
    }

    private static object Response(JudgedAnswer answer, string status, object[] output) => new
    {
        id = $"resp_judged{answer.Number}",
        @object = "response",
        created_at = 1_700_000_000 + answer.Number,
        status,
        background = false,
        error = (object?)null,
        incomplete_details = (object?)null,
        instructions = (string?)null,
        metadata = new { },
        model = "judged-model",
        output,
        parallel_tool_calls = true,
        temperature = 1.0,
        tool_choice = "auto",
        tools = Array.Empty<object>(),
        top_p = 1.0,
        usage = status == "completed"
            ? new { input_tokens = 5, input_tokens_details = new { cached_tokens = 0 }, output_tokens = 7, output_tokens_details = new { reasoning_tokens = 0 }, total_tokens = 12 }
            : null,
    };
}
