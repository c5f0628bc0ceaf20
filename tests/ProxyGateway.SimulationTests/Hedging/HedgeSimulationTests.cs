using System.Globalization;
using Microsoft.AspNetCore.Http;
using ProxyGateway.SimulationTests.Simulation;
using ProxyGateway.StreamingFallback.ClientStream;
using ProxyGateway.TestKit.Chats;
using ProxyGateway.TestKit.Contract;
using Xunit;

namespace ProxyGateway.SimulationTests.Hedging;

/// <summary>
/// Two attempts beside each other, each cut at any byte, ended in any way, late by any time, in any chunking: no case may break the
/// stream contract. <c>PROXYGATEWAY_HEDGES</c> says how many cases, <c>PROXYGATEWAY_HEDGES_SEED</c> which.
/// </summary>
public sealed class HedgeSimulationTests
{
    private const int PartOfTestRun = 20_000;

    private static readonly TimeSpan HedgeAfter = TimeSpan.FromSeconds(5);
    private static readonly Chat A = Chat.Default;
    private static readonly Chat B = new() { Id = "chatcmpl-b", Model = "other", Created = 1800000000 };
    private static readonly Chat Spare = new() { Id = "chatcmpl-spare", Model = "spare", Created = 1900000000 };
    private static readonly byte[] Request = A.Request();
    private static readonly SimulatedRoute Route = new("openai-chat", HedgeAfter: HedgeAfter);

    /// <summary>Before the delay is over, right after it, before and after the second attempt can have anything.</summary>
    private static readonly double[] Lateness = [0, 3, 4.99, 5.01, 6, 8, 9, 14, 29, 61];

    [Fact]
    public void AnyTwoAttempts_AreOneWholeAnswerOrOneLoudEnding()
    {
        var cases = int.TryParse(Environment.GetEnvironmentVariable("PROXYGATEWAY_HEDGES"), CultureInfo.InvariantCulture, out var given) ? given : PartOfTestRun;
        var seed = int.TryParse(Environment.GetEnvironmentVariable("PROXYGATEWAY_HEDGES_SEED"), CultureInfo.InvariantCulture, out given) ? given : 1;
        var random = new Random(seed);
        var gateway = new SimulatedGateway();
        var seen = new Dictionary<string, int>();
        List<string> failures = [];
        for (var i = 0; i < cases && failures.Count < 10; i++)
        {
            var (first, second) = (Script(random, A), Script(random, B));
            var chunk = random.Next(4) switch { 0 => 1, 1 => 7, 2 => 200, _ => int.MaxValue };
            var (kind, violations) = Run(ref gateway, first, second, chunk, http2: random.Next(2) == 0);
            seen[kind] = seen.GetValueOrDefault(kind) + 1;
            if (violations.Count > 0)
            {
                failures.Add($"case {i}: {Describe(first)} | {Describe(second)} | {chunk} per read: {string.Join("; ", violations)}");
            }
        }

        gateway.Dispose();
        Console.WriteLine($"hedges: {cases} cases, seed {seed}: {string.Join(", ", seen.OrderBy(s => s.Key).Select(s => $"{s.Value} {s.Key}"))}");
        Assert.True(failures.Count == 0, string.Join(Environment.NewLine, failures));
        Assert.All(["not hedged", "won", "lost", "failed"], kind => Assert.True(seen.GetValueOrDefault(kind) > cases / 50, $"{seen.GetValueOrDefault(kind)} were {kind}"));
    }

    private static (string Kind, IReadOnlyList<Violation> Violations) Run(ref SimulatedGateway gateway, UpstreamScript first, UpstreamScript second, int chunk, bool http2)
    {
        using var client = new SimulatedClient(gateway.Time, http2);
        var replay = UpstreamScript.Json(A.Completion("Hello"));
        gateway.Upstream.Begin(
            client,
            chunk,
            AsksForStream,
            (number, streaming, isFallback) => !streaming ? replay
                : isFallback ? new UpstreamScript { Body = Spare.Stream("Hel", "lo") }
                : number == 1 ? first : second);
        var ended = gateway.Run(Route, Request, "/v1/chat/completions", client, out var thrown);
        var attempts = gateway.Upstream.Attempts;
        var isHedged = attempts.Count > 1 && attempts[1] is { Streaming: true, Cluster: SimulatedGateway.Primary };
        var violations = new ViolationList();
        foreach (var violation in StreamContract.Check(new Transcript
        {
            RequestBody = Request,
            Attempts = [.. attempts.Select((a, i) => a.ToRecord(TerminalRule.Either) with { Raced = isHedged && i < 2 })],
            Client = Record(client, ended, thrown),
            Limits = new ContractLimits { MaxAttempts = SimulatedGateway.MaxAttempts },
            Counters = gateway.Meters.Counters(attempts.Count),
        }))
        {
            violations.Add(violation.Rule, violation.Text);
        }

        Check(gateway, client, thrown, violations);
        var kind = !isHedged ? "not hedged" : Sent(client, B) ? "won" : Sent(client, A) ? "lost" : "failed";
        if (!ended)
        {
            violations.Add(9, "the exchange hangs");
            gateway = new SimulatedGateway();
        }

        return (kind, violations.Items);
    }

    private static void Check(SimulatedGateway gateway, SimulatedClient client, Exception? thrown, ViolationList violations)
    {
        if (gateway.Crash is { } crash)
        {
            violations.Add(0, $"the gateway crashed: {crash.GetType().Name}: {crash.Message}");
        }

        if (thrown is not null and not StreamTerminatedException)
        {
            violations.Add(0, $"an exception reached the server: {thrown.GetType().Name}: {thrown.Message}");
        }

        if (gateway.Time.ArmedTimers > 0)
        {
            violations.Add(0, "a timer was left behind");
        }

        if (gateway.Meters.Active != 0)
        {
            violations.Add(14, $"{gateway.Meters.Active} streams are active after the end");
        }

        // Of two that ran beside each other one has ended by the time anything of the other is out.
        var raced = gateway.Upstream.Attempts.Where(a => a is { Streaming: true, Cluster: SimulatedGateway.Primary }).ToList();
        var content = client.Flushes.Find(f => client.FlushedBytes.AsSpan(0, f.Length).IndexOf("data:"u8) >= 0);
        if (raced.Count == 2 && content.Length > 0 && raced.TrueForAll(a => a.EndedAt > content.At))
        {
            violations.Add(0, "both attempts went on after the first content");
        }

        if (client.HasLeft && gateway.Upstream.Attempts.Exists(a => a.Ending == AttemptEnding.LeftOpen))
        {
            violations.Add(11, "an attempt went on after the client had left");
        }
    }

    private static UpstreamScript Script(Random random, Chat chat)
    {
        var whole = chat.Stream("Hel", "lo");
        var delay = TimeSpan.FromSeconds(Lateness[random.Next(Lateness.Length)]);
        var isWhole = random.Next(3) == 0;
        var body = isWhole ? whole : whole[..random.Next(whole.Length)];
        return random.Next(14) switch
        {
            0 => new UpstreamScript { End = ScriptEnd.Refused, Delay = delay },
            1 => new UpstreamScript { Status = 500, ContentType = "application/json", Body = Chat.ErrorBody(), Delay = delay },
            2 => new UpstreamScript { Status = 400, ContentType = "application/json", Body = Chat.ErrorBody(), Delay = delay },
            3 => UpstreamScript.Json(chat.Completion("Hello")) with { Delay = delay },
            4 => new UpstreamScript { Body = body, End = ScriptEnd.ClientLeaves, Delay = delay },
            var n => new UpstreamScript
            {
                Body = body,
                End = isWhole ? ScriptEnd.Clean : (ScriptEnd)random.Next(3),
                // Late before the headers, or somewhere in the body.
                Delay = n < 9 ? delay : TimeSpan.Zero,
                Pauses = n < 9 ? [] : [random.Next(body.Length + 1)],
                Pause = delay,
            },
        };
    }

    private static ClientRecord Record(SimulatedClient client, bool ended, Exception? thrown)
    {
        var ending = !ended ? ClientEnding.TimedOut
            : client.HasLeft ? ClientEnding.ClientLeft
            : client.ResetCode is not null ? ClientEnding.Http2Reset
            : thrown is null ? ClientEnding.Clean
            : client.IsHttp2 ? ClientEnding.Http2Reset : ClientEnding.WithoutTerminator;
        var clean = ending == ClientEnding.Clean;
        return new ClientRecord
        {
            Status = client.HasStarted || clean ? client.StatusCode : thrown is not null && !client.HasLeft ? StatusCodes.Status500InternalServerError : null,
            ContentType = client.Headers.ContentType,
            Body = clean ? client.WrittenBytes : client.FlushedBytes,
            Ending = ending,
            ResetCode = client.ResetCode,
        };
    }

    private static bool Sent(SimulatedClient client, Chat chat) =>
        client.WrittenBytes.AsSpan().IndexOf(System.Text.Encoding.UTF8.GetBytes($"\"id\":\"{chat.Id}\"")) >= 0;

    private static bool AsksForStream(byte[] body, string target) => body.AsSpan().IndexOf("\"stream\":true"u8) >= 0 || body.AsSpan().IndexOf("\"stream\": true"u8) >= 0;

    private static string Describe(UpstreamScript s) => string.Create(
        CultureInfo.InvariantCulture,
        $"{s.Status} {s.ContentType} {s.Body.Length} bytes, {s.End}, delay {s.Delay.TotalSeconds}, pause {s.Pause.TotalSeconds} at [{string.Join(' ', s.Pauses)}]");
}
