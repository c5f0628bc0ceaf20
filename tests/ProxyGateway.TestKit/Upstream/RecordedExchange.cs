using System.IO.Compression;
using System.Text.Json;
using ProxyGateway.TestKit.Contract;

namespace ProxyGateway.TestKit.Upstream;

/// <summary>One request that an upstream got, and what became of it. Safe to read while the exchange runs.</summary>
public sealed class RecordedExchange
{
    private readonly Lock _lock = new();
    private readonly List<byte> _sent = [];
    private readonly TaskCompletionSource<AttemptEnding> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private WriteHead? _head;
    private volatile bool _mayHaveLostBytes;

    public required int Number { get; init; }

    /// <summary>Which of the upstream's connections carried it, from 1.</summary>
    public required int Connection { get; init; }

    public required string Method { get; init; }

    /// <summary>Path and query as they stood in the request.</summary>
    public required string Target { get; init; }

    public required IReadOnlyList<KeyValuePair<string, string>> Headers { get; init; }

    public required byte[] Body { get; init; }

    public required DateTimeOffset At { get; init; }

    /// <summary>How it ended; completes when it has.</summary>
    public Task<AttemptEnding> Ended => _ended.Task;

    public int Status
    {
        get
        {
            lock (_lock)
            {
                return _head?.Status ?? 0;
            }
        }
    }

    /// <summary>Body bytes sent so far, without framing.</summary>
    public byte[] Sent
    {
        get
        {
            lock (_lock)
            {
                return [.. _sent];
            }
        }
    }

    /// <summary>How many those are.</summary>
    public int SentLength
    {
        get
        {
            lock (_lock)
            {
                return _sent.Count;
            }
        }
    }

    public string? Header(string name) => Headers.FirstOrDefault(h => h.Key.Equals(name, StringComparison.OrdinalIgnoreCase)).Value;

    /// <summary>Whether the body asks for a stream.</summary>
    public bool AsksForStream
    {
        get
        {
            try
            {
                using var document = JsonDocument.Parse(Body);
                return JsonStrings.TryGet(document.RootElement, "stream", out var stream) && stream.ValueKind == JsonValueKind.True;
            }
            catch (JsonException)
            {
                return false;
            }
        }
    }

    /// <summary>The exchange as an attempt of a transcript. An exchange still running counts as left open.</summary>
    public AttemptRecord ToAttempt(string cluster = "primary", bool isFallback = false)
    {
        var ending = Ended.IsCompletedSuccessfully ? Ended.Result : AttemptEnding.LeftOpen;
        return new AttemptRecord
        {
            Cluster = cluster,
            IsFallback = isFallback,
            Kind = AsksForStream ? AttemptKind.Streaming : AttemptKind.NonStreaming,
            RequestBody = Body,
            RequestHeaders = Headers,
            Status = Status,
            ContentType = ResponseHeader("Content-Type"),
            Body = Decoded(),
            Ending = ending,
            MayHaveLostBytes = _mayHaveLostBytes,
        };
    }

    internal void HeadSent(WriteHead head)
    {
        lock (_lock)
        {
            _head = head;
        }
    }

    internal void BodySent(ReadOnlySpan<byte> bytes)
    {
        lock (_lock)
        {
            _sent.AddRange(bytes);
        }
    }

    internal void End(AttemptEnding ending, bool mayHaveLostBytes = false)
    {
        _mayHaveLostBytes |= mayHaveLostBytes;
        _ended.TrySetResult(ending);
    }

    private string? ResponseHeader(string name)
    {
        lock (_lock)
        {
            return _head?.Headers.FirstOrDefault(h => h.Key.Equals(name, StringComparison.OrdinalIgnoreCase)).Value;
        }
    }

    /// <summary>The contract speaks of events, so a content coding is undone, as far as the body goes.</summary>
    private byte[] Decoded()
    {
        var sent = Sent;
        if (ResponseHeader("Content-Encoding") != "gzip")
        {
            return sent;
        }

        using var plain = new MemoryStream();
        try
        {
            using var gzip = new GZipStream(new MemoryStream(sent), CompressionMode.Decompress);
            gzip.CopyTo(plain);
        }
        catch (InvalidDataException)
        {
            // Cut off: what came before counts.
        }

        return plain.ToArray();
    }
}
