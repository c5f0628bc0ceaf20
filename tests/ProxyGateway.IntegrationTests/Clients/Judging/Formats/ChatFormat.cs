using ProxyGateway.TestKit.Upstream;

namespace ProxyGateway.IntegrationTests.Clients.Judging.Formats;

internal sealed class ChatFormat : JudgedFormat
{
    private const long Created = 1_700_000_000;

    public override string Path => "/v1/chat/completions";

    public override JudgedStream Stream(JudgedAnswer answer, RecordedExchange request) => new(
        [Chunk(answer, new { role = "assistant", content = answer.IsCall ? null : "" })],
        answer.IsCall
            ? [Call(answer, new { index = 0, id = answer.CallId, type = "function", function = new { name = JudgedAnswer.ToolName, arguments = "" } }),
                .. answer.Pieces.Select(p => Call(answer, new { index = 0, function = new { arguments = p } }))]
            : [.. answer.Pieces.Select(p => Chunk(answer, new { content = p }))],
        [Chunk(answer, new { }, answer.IsCall ? "tool_calls" : "stop"), "data: [DONE]\n\n"]);

    protected override object Whole(JudgedAnswer answer, RecordedExchange request) => new
    {
        id = Id(answer),
        @object = "chat.completion",
        created = Created + answer.Number,
        model = "judged-model",
        choices = new[]
        {
            new
            {
                index = 0,
                message = answer.IsCall
                    ? (object)new { role = "assistant", content = (string?)null, refusal = (string?)null, tool_calls = new[] { new { id = answer.CallId, type = "function", function = new { name = JudgedAnswer.ToolName, arguments = answer.Whole } } } }
                    : new { role = "assistant", content = answer.Whole, refusal = (string?)null },
                finish_reason = answer.IsCall ? "tool_calls" : "stop",
            },
        },
        usage = new { prompt_tokens = 5, completion_tokens = 7, total_tokens = 12 },
    };

    private static string Id(JudgedAnswer answer) => $"chatcmpl-judged{answer.Number}";

    private static string Call(JudgedAnswer answer, object call) => Chunk(answer, new { tool_calls = new[] { call } });

    private static string Chunk(JudgedAnswer answer, object delta, string? finish = null) => Data(new
    {
        id = Id(answer),
        @object = "chat.completion.chunk",
        created = Created + answer.Number,
        model = "judged-model",
        choices = new[] { new { index = 0, delta, finish_reason = finish } },
    });
}
