using System.Text;
using ProxyGateway.TestKit.Contract;

namespace ProxyGateway.TestKit.Upstream;

/// <summary>What an upstream does with one request, step by step. Immutable: every call gives a longer script.</summary>
public sealed record UpstreamScript
{
    private static readonly TimeSpan DefaultStall = TimeSpan.FromSeconds(30);

    public IReadOnlyList<UpstreamStep> Steps { get; private init; } = [];

    /// <summary>Accepts, reads the request and never answers.</summary>
    public static UpstreamScript NeverAnswer => new UpstreamScript().Stall();

    /// <summary>Resets before any header.</summary>
    public static UpstreamScript ResetAtOnce => new UpstreamScript().Reset();

    /// <summary>The head of an event stream; what it says and how it ends is for the caller to add.</summary>
    public static UpstreamScript EventStream(BodyFraming framing = BodyFraming.Chunked, long length = 0) =>
        new UpstreamScript().Head(200, "text/event-stream", framing, length);

    /// <summary>A whole event stream, one chunk per event, ended cleanly.</summary>
    public static UpstreamScript Stream(byte[] body) => EventStream().Events(body).EndClean();

    /// <summary>The first bytes of a stream; the ending is for the caller to add.</summary>
    public static UpstreamScript Cut(byte[] body, int at) => EventStream().Events(body[..at]);

    public static UpstreamScript Json(int status, byte[] body, params (string Name, string Value)[] headers) =>
        new UpstreamScript().Head(status, "application/json", BodyFraming.ContentLength, body.Length, headers).Body(body).EndClean();

    public static UpstreamScript Json(byte[] body) => Json(200, body);

    public UpstreamScript Head(int status, string? contentType, BodyFraming framing = BodyFraming.Chunked, long length = 0, params (string Name, string Value)[] headers)
    {
        List<KeyValuePair<string, string>> all = [.. headers.Select(h => KeyValuePair.Create(h.Name, h.Value))];
        if (contentType is not null)
        {
            all.Insert(0, KeyValuePair.Create("Content-Type", contentType));
        }

        return Then(new WriteHead(status, all, framing, length));
    }

    public UpstreamScript Body(ReadOnlyMemory<byte> bytes) => Then(new WriteBody(bytes));

    public UpstreamScript Body(string text) => Body(Encoding.UTF8.GetBytes(text));

    /// <summary>One chunk per event, and one for what remains.</summary>
    public UpstreamScript Events(byte[] stream, TimeSpan gap = default)
    {
        var script = this;
        var blocks = SseBlock.ReadAll(stream, out var remainder);
        foreach (var block in blocks)
        {
            script = gap > TimeSpan.Zero && block != blocks[0] ? script.Delay(gap).Body(block.Raw) : script.Body(block.Raw);
        }

        return remainder < stream.Length ? script.Body(stream.AsMemory(remainder)) : script;
    }

    public UpstreamScript Raw(string text) => Then(new WriteRaw(Encoding.UTF8.GetBytes(text)));

    public UpstreamScript BadChunk() => Then(new BadChunk());

    public UpstreamScript Delay(TimeSpan time) => Then(new Delay(time));

    public UpstreamScript Stall(TimeSpan? limit = null) => Then(new Stall(limit ?? DefaultStall));

    public UpstreamScript WaitFor(Task signal) => Then(new WaitFor(signal));

    public UpstreamScript EndClean() => Then(new EndClean());

    public UpstreamScript Reset(int http2Code = 2) => Then(new Reset(http2Code));

    public UpstreamScript CloseWithoutTerminator() => Then(new CloseWithoutTerminator());

    public UpstreamScript Then(params UpstreamStep[] steps) => new() { Steps = [.. Steps, .. steps] };
}
