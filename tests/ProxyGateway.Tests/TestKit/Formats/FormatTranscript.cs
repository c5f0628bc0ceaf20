using ProxyGateway.TestKit.Chats;
using ProxyGateway.TestKit.Contract;

namespace ProxyGateway.Tests.TestKit.Formats;

/// <summary>Makes the transcripts of one format: what its clients ask, and under which type its streams come.</summary>
internal sealed class FormatTranscript(string format, byte[] request, byte[] errorBody, string? target = null)
{
    private readonly string _type = ContractFormats.Get(format).StreamContentType;

    public Transcript Of(ClientRecord client, params AttemptRecord[] attempts) => new()
    {
        Format = format,
        RequestBody = request,
        RequestTarget = target,
        Client = client with { ContentType = client.Status == 200 ? _type : "application/json" },
        Attempts = attempts,
    };

    public AttemptRecord Whole(byte[] body) => new() { ContentType = _type, Body = body };

    public AttemptRecord Whole(params string[] events) => Whole(Chat.Bytes(events));

    public AttemptRecord Cut(byte[] body) => Whole(body) with { Ending = AttemptEnding.Broken };

    public AttemptRecord Cut(params string[] events) => Cut(Chat.Bytes(events));

    public AttemptRecord Stalled(params string[] events) => Whole(events) with { Ending = AttemptEnding.Stalled };

    public AttemptRecord Failed() => new() { Kind = AttemptKind.NonStreaming, ContentType = "application/json", Status = 503, Body = errorBody };

    public static AttemptRecord Replay(byte[] body) => Make.Replay(body);

    public static ClientRecord Got(byte[] body) => new() { Body = body };

    public static ClientRecord Got(params string[] events) => Make.Got(events);

    public static ClientRecord Loud(byte[] body) => new() { Body = body, Ending = ClientEnding.WithoutTerminator };

    public static ClientRecord Loud(params string[] events) => Make.Loud(events);

    public TranscriptCase Good(string name, ClientRecord client, params AttemptRecord[] attempts) => new(0, $"{format}: {name}", Of(client, attempts));

    public TranscriptCase Bad(int rule, string name, ClientRecord client, params AttemptRecord[] attempts) => new(rule, $"{format}: {name}", Of(client, attempts));
}
