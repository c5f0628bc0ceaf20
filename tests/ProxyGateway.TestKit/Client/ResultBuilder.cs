using System.Diagnostics;
using ProxyGateway.TestKit.Contract;

namespace ProxyGateway.TestKit.Client;

/// <summary>Collects an answer while it arrives.</summary>
internal sealed class ResultBuilder
{
    private readonly long _start = Stopwatch.GetTimestamp();
    private readonly List<byte> _body = [];
    private readonly List<Arrival> _arrivals = [];
    private TimeSpan _headersAt;

    public int? Status { get; private set; }

    public List<KeyValuePair<string, string>> Headers { get; } = [];

    public int BodyLength => _body.Count;

    public void Head(int status)
    {
        Status = status;
        _headersAt = Stopwatch.GetElapsedTime(_start);
    }

    public void Add(ReadOnlySpan<byte> bytes)
    {
        if (!bytes.IsEmpty)
        {
            _arrivals.Add(new Arrival(Stopwatch.GetElapsedTime(_start), _body.Count, bytes.Length));
            _body.AddRange(bytes);
        }
    }

    public bool Leaves(HttpCall call) => call.LeaveWhen?.Invoke([.. _body]) == true;

    public HttpResult End(ClientEnding ending, long? resetCode = null) => new()
    {
        Status = Status,
        Headers = Headers,
        Body = [.. _body],
        Arrivals = _arrivals,
        HeadersAt = _headersAt,
        EndedAt = Stopwatch.GetElapsedTime(_start),
        Ending = ending,
        ResetCode = resetCode,
    };
}
