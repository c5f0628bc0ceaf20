using ProxyGateway.TestKit.Contract;

namespace ProxyGateway.TestKit.Client;

/// <summary>A piece of the body and when it arrived, counted from the sending of the request.</summary>
public readonly record struct Arrival(TimeSpan At, int Offset, int Length);

/// <summary>What a client got and how it ended.</summary>
public sealed record HttpResult
{
    /// <summary>Null where no response arrived.</summary>
    public int? Status { get; init; }

    public IReadOnlyList<KeyValuePair<string, string>> Headers { get; init; } = [];

    /// <summary>The body without its framing.</summary>
    public byte[] Body { get; init; } = [];

    public IReadOnlyList<Arrival> Arrivals { get; init; } = [];

    public TimeSpan HeadersAt { get; init; }

    public TimeSpan EndedAt { get; init; }

    public ClientEnding Ending { get; init; }

    /// <summary>The code of an HTTP/2 reset.</summary>
    public long? ResetCode { get; init; }

    public string Text => System.Text.Encoding.UTF8.GetString(Body);

    public string? Header(string name) => Headers.FirstOrDefault(h => h.Key.Equals(name, StringComparison.OrdinalIgnoreCase)).Value;

    public ClientRecord ToClientRecord() => new()
    {
        Status = Status,
        ContentType = Header("Content-Type"),
        Body = Body,
        Ending = Ending,
        ResetCode = ResetCode,
    };
}

/// <summary>A request and how its client behaves.</summary>
public sealed record HttpCall
{
    public required Uri Address { get; init; }

    public string Method { get; init; } = "POST";

    /// <summary>Path and query, sent as they stand.</summary>
    public string Target { get; init; } = "/v1/chat/completions";

    public IReadOnlyList<KeyValuePair<string, string>> Headers { get; init; } = [new("Content-Type", "application/json")];

    public byte[] Body { get; init; } = [];

    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>Asked after every piece of the body: true makes the client leave.</summary>
    public Func<byte[], bool>? LeaveWhen { get; init; }

    /// <summary>Awaited before every read after the headers: makes a slow client.</summary>
    public Func<Task>? BeforeRead { get; init; }
}
