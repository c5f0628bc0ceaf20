using ProxyGateway.TestKit.Upstream;

namespace ProxyGateway.IntegrationTests.Clients.Judging.Formats;

internal sealed class CompletionsFormat : JudgedFormat
{
    public override string Path => "/v1/completions";

    public override JudgedStream Stream(JudgedAnswer answer, RecordedExchange request) => new(
        [": ready\n\n"],
        [.. answer.Pieces.Select(p => Data(Completion(answer, p, null)))],
        [Data(Completion(answer, "", "stop")), "data: [DONE]\n\n"]);

    protected override object Whole(JudgedAnswer answer, RecordedExchange request) => Completion(answer, answer.Whole, "stop");

    private static object Completion(JudgedAnswer answer, string text, string? finish) => new
    {
        id = $"cmpl-judged{answer.Number}",
        @object = "text_completion",
        created = 1_700_000_000 + answer.Number,
        model = "judged-model",
        choices = new[] { new { index = 0, text, logprobs = (object?)null, finish_reason = finish } },
    };
}
