using ProxyGateway.IntegrationTests.Clients.Judging.Formats;
using ProxyGateway.TestKit.Upstream;

namespace ProxyGateway.IntegrationTests.Clients.Judging;

/// <summary>One request at the agent, and the scripts that answer it in its format and mode.</summary>
/// <param name="Number">The how-manieth of its prompt.</param>
internal sealed record JudgedRequest(RecordedExchange Exchange, JudgedFormat Format, int Number)
{
    public UpstreamScript Play(JudgedAnswer answer)
    {
        if (!Format.AsksForStream(Exchange))
        {
            return UpstreamScript.Json(Format.Body(answer, Exchange));
        }

        var stream = Format.Stream(answer, Exchange);
        return Write(Head(Format.ContentType), [.. stream.Opening, .. stream.Content, .. stream.Ending]).EndClean();
    }

    /// <summary>The answer's beginning; how it ends is for the caller to add. Not streaming, it is half the body.</summary>
    public UpstreamScript Cut(JudgedAnswer answer, int content)
    {
        if (!Format.AsksForStream(Exchange))
        {
            var body = Format.Body(answer, Exchange);
            return Head("application/json").Body(body.AsMemory(0, content == 0 ? 0 : body.Length / 2));
        }

        var stream = Format.Stream(answer, Exchange);
        return Write(Head(Format.ContentType), [.. stream.Opening, .. stream.Content.Take(content)]);
    }

    public UpstreamScript Refuse() => UpstreamScript.Json(500, """{"error":{"message":"The agent is out of order.","type":"server_error"}}"""u8.ToArray());

    private static UpstreamScript Head(string contentType) => new UpstreamScript().Head(200, contentType);

    private static UpstreamScript Write(UpstreamScript script, IEnumerable<string> events) => events.Aggregate(script, (s, e) => s.Body(e));
}
