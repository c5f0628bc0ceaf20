namespace ProxyGateway.TestKit.Upstream;

/// <summary>How a body's end is told in HTTP/1.1. HTTP/2 has its own way and ignores it, a Content-Length excepted.</summary>
public enum BodyFraming
{
    Chunked,
    ContentLength,
    CloseDelimited,
}

/// <summary>One thing an upstream does.</summary>
public abstract record UpstreamStep;

/// <summary>Sends status line and headers.</summary>
/// <param name="Length">The Content-Length, which may be a lie.</param>
public sealed record WriteHead(int Status, IReadOnlyList<KeyValuePair<string, string>> Headers, BodyFraming Framing = BodyFraming.Chunked, long Length = 0) : UpstreamStep;

/// <summary>Sends body bytes; in a chunked body as one chunk.</summary>
public sealed record WriteBody(ReadOnlyMemory<byte> Bytes) : UpstreamStep;

/// <summary>Sends bytes as they are, past all framing. HTTP/2 has no such thing and sends them as body.</summary>
public sealed record WriteRaw(ReadOnlyMemory<byte> Bytes) : UpstreamStep;

/// <summary>Sends a chunk whose size is no number, then closes. HTTP/2: PROTOCOL_ERROR.</summary>
public sealed record BadChunk : UpstreamStep;

public sealed record Delay(TimeSpan Time) : UpstreamStep;

/// <summary>Does nothing until the peer leaves or the limit is over.</summary>
public sealed record Stall(TimeSpan Limit) : UpstreamStep;

/// <summary>Waits until the test says so.</summary>
public sealed record WaitFor(Task Signal) : UpstreamStep;

/// <summary>Ends the body as its framing wants it. The connection stays open unless its close is the framing.</summary>
public sealed record EndClean : UpstreamStep;

/// <summary>HTTP/1.1: RST. HTTP/2: RST_STREAM with the code.</summary>
public sealed record Reset(int Http2Code = 2) : UpstreamStep;

/// <summary>HTTP/1.1: FIN in the middle of the body. HTTP/2: the connection is aborted, which sends GOAWAY.</summary>
public sealed record CloseWithoutTerminator : UpstreamStep;
