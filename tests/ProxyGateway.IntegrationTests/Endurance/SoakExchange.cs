using ProxyGateway.IntegrationTests.Gateway;
using ProxyGateway.TestKit.Client;
using ProxyGateway.TestKit.Contract;
using ProxyGateway.TestKit.Upstream;

namespace ProxyGateway.IntegrationTests.Endurance;

/// <summary>Exchange number n of the soak: everything about it follows from the number.</summary>
internal sealed class SoakExchange(int n)
{
    private static readonly string[] s_words = ["The ", "quick ", "brown ", "fox ", "jumps ", "over ", "the ", "lazy ", "dög."];

    /// <summary>What a faulty upstream does with a stream, and with its replay or any request that is not for one.</summary>
    private static readonly (string Name, Func<SoakExchange, UpstreamScript> Stream, Func<SoakExchange, UpstreamScript> Plain)[] Faults =
    [
        ("reset at once", _ => UpstreamScript.ResetAtOnce, x => x.Whole()),
        ("500", x => x.Error(500), x => x.Whole()),
        ("429 with Retry-After", x => x.Error(429, ("Retry-After", "1")), x => x.Whole()),
        ("529 all along", x => x.Error(529), x => x.Error(529)),
        ("a page under 200", _ => new UpstreamScript().Head(200, "text/html").Body("<html>").EndClean(), x => x.Whole()),
        ("an error under 200", x => UpstreamScript.Json(x.Format.ErrorBody), x => x.Whole()),
        ("reset in mid-stream", x => x.Begun(0.5).ThenReset(), x => x.Whole()),
        ("closed in mid-stream", x => x.Begun(0.7).CloseWithoutTerminator(), x => x.Whole()),
        ("closed in mid-event", x => x.Begun(0.5).Body("{\"half").CloseWithoutTerminator(), x => x.Whole()),
        // With the pause the HTTP client has handed on what came before; else it throws that away with the chunk.
        ("a bad chunk", x => x.Begun(0.3).Delay(TimeSpan.FromMilliseconds(500)).BadChunk(), x => x.Whole()),
        ("silence in mid-stream", x => x.Begun(0.5).Stall(), x => x.Whole()),
        ("silence after the headers", x => x.Begun(0).Stall(), x => x.Whole()),
        ("no answer", _ => UpstreamScript.NeverAnswer, x => x.Whole()),
        ("an empty stream", x => x.Begun(0).EndClean(), x => x.Whole()),
        ("no terminal", x => x.Begun(0.6).EndClean(), x => x.Whole()),
        ("a replay that differs", x => x.Begun(0.5).ThenReset(), x => UpstreamScript.Json(x.Format.Answer("Something else."))),
        ("a replay that is none", x => x.Begun(0.5).ThenReset(), _ => UpstreamScript.Json("{}"u8.ToArray())),
        ("a replay that breaks off", x => x.Begun(0.5).ThenReset(), _ => new UpstreamScript().Head(200, "application/json", BodyFraming.ContentLength, 5000).Body("{\"id\"").CloseWithoutTerminator()),
        ("everything", _ => UpstreamScript.ResetAtOnce, _ => UpstreamScript.ResetAtOnce),
    ];

    public SoakFormat Format { get; } = SoakFormat.All[n % SoakFormat.All.Count];

    /// <summary>Of each ten one leaves, of each eleven one reads slowly, of each five one asks for no stream where the format can.</summary>
    public bool Leaves => n % 10 == 4;

    public bool IsSlow => n % 11 == 2;

    public byte[] Request => (n % 5 == 0 ? Format.Request(false) : null) ?? Format.Request(true)!;

    public string? Fault => IsFaulty ? Faults[n / 5 % Faults.Length].Name : null;

    private bool IsFaulty => n % 5 == 3;

    private bool IsLong => n % 13 == 6 || IsSlow;

    private string[] Words => IsLong
        ? [.. Enumerable.Range(0, 150).Select(i => $"{n}.{i} {new string('w', IsSlow ? 3000 : 40)} ")]
        : [s_words[0], $"no. {n} ", .. s_words[1..]];

    public static int NumberOf(RecordedExchange asked) => int.Parse(asked.Header("x-request-id")!.AsSpan(2), provider: null);

    /// <summary>What an upstream does with it: the first cluster fails in a fifth of them, its fallback in a few.</summary>
    public UpstreamScript Answer(RecordedExchange asked, bool isSpare)
    {
        var streaming = Format.AsksForStream(asked);
        return isSpare && n % 40 == 3 ? Error(500)
            : !isSpare && IsFaulty && Faults[n / 5 % Faults.Length] is var fault ? (streaming ? fault.Stream(this) : fault.Plain(this))
            : !streaming ? Whole()
            : Events(Format.Events(Words), TimeSpan.FromMilliseconds(IsLong ? 10 : n % 3 * 10)).EndClean();
    }

    public Task<HttpResult> SendAsync(Uri http1, Uri http2, CancellationToken cancel)
    {
        var call = new HttpCall
        {
            Address = n % 2 == 0 ? http1 : http2,
            Target = Format.Target,
            Body = Request,
            Headers = [new("Content-Type", "application/json"), new("x-request-id", $"n-{n}")],
            Timeout = TimeSpan.FromSeconds(90),
            LeaveWhen = Leaves ? body => body.Length > 300 : null,
            BeforeRead = IsSlow ? () => Task.Delay(50, cancel) : null,
        };
        return n % 2 == 0 ? RawHttpClient.SendAsync(call, cancel) : Http2Client.SendAsync(call, cancel);
    }

    public IEnumerable<string> Check(HttpResult result, IReadOnlyList<AttemptRecord> attempts)
    {
        var violations = StreamContract.Check(new Transcript
        {
            Format = Format.Name,
            RequestBody = Request,
            RequestTarget = Format.Target,
            Attempts = attempts,
            Client = result.ToClientRecord(),
            Limits = new ContractLimits { MaxAttempts = 3 },
            // Where all circuits are open nobody is asked.
            GatewayGaveUp = attempts.Count == 0,
        });
        return violations.Select(v => $"{n} ({Format.Name}, {Fault ?? "no fault"}): {v}; client {result.Status}, {result.Ending}, {result.Body.Length} bytes; {string.Join(", ", attempts.Select(a => $"{a.Kind} at {a.Cluster} {a.Status} {a.Ending}"))}");
    }

    private UpstreamScript Whole() => UpstreamScript.Json(Format.Answer(string.Concat(Words)));

    private UpstreamScript Error(int status, params (string Name, string Value)[] headers) => UpstreamScript.Json(status, Format.ErrorBody, headers);

    private UpstreamScript Begun(double part) => Format.Events(Words) is var events ? Events(events[..(int)(events.Length * part)], default) : throw new InvalidOperationException();

    private UpstreamScript Events(string[] events, TimeSpan gap)
    {
        UpstreamStep[] steps = [.. events.SelectMany(e => gap > TimeSpan.Zero ? (UpstreamStep[])[new Delay(gap), new WriteBody(System.Text.Encoding.UTF8.GetBytes(e))] : [new WriteBody(System.Text.Encoding.UTF8.GetBytes(e))])];
        return new UpstreamScript().Head(200, Format.ContentType).Then(steps);
    }
}
