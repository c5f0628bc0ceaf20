using System.Diagnostics;
using System.IO.Compression;
using System.Text;
using ProxyGateway.IntegrationTests.Gateway;
using ProxyGateway.TestKit.Chats;
using ProxyGateway.TestKit.Client;
using ProxyGateway.TestKit.Contract;
using ProxyGateway.TestKit.Upstream;
using Xunit;

namespace ProxyGateway.IntegrationTests.Hostile;

/// <summary>Answers and requests that are larger than they look, or that never end.</summary>
public sealed class BombTests
{
    private const long Megabyte = 1 << 20;
    private const long Gigabyte = 1 << 30;

    private static readonly Lazy<byte[]> s_gzip = new(() =>
    {
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Fastest))
        {
            gzip.Write("data: "u8);
            var zeros = new byte[1 << 20];
            zeros.AsSpan().Fill((byte)'x');
            for (var i = 0; i < 1024; i++)
            {
                gzip.Write(zeros);
            }
        }

        return packed.ToArray();
    });

    public static TheoryData<string, string> EndlessAnswers => new()
    {
        { "a line", "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: " },
        { "a line of a declared length", $"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: {Gigabyte}\r\n\r\ndata: " },
        { "a JSON answer", "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{\"id\":\"" },
        { "an error answer", "HTTP/1.1 500 Error\r\nContent-Type: application/json\r\n\r\n{\"error\":\"" },
        { "a header", "HTTP/1.1 200 OK\r\nX-Long: " },
        { "a status line", "HTTP/1.1 200 " },
    };

    [Theory]
    [MemberData(nameof(EndlessAnswers))]
    public async Task AnswerOfAGigabyteInOneLine_IsGivenUpEarly(string what, string head)
    {
        await using var flood = new FloodingUpstream(head, [.. Enumerable.Repeat((byte)'x', 64 * 1024)], Gigabyte);
        await using var spare = ScriptedUpstream.Start();
        spare.Choose = asked => Agents.Good(asked);
        await using var gateway = await GatewayProcess.StartAsync(s => s.Cluster("primary", flood.Address).Cluster("spare", spare).Fallback("primary", "spare"));
        await Probe.AskAsync(gateway.Http1, TimeSpan.FromSeconds(20));
        var (before, idle, since) = (flood.Sent, gateway.Resident, Stopwatch.StartNew());

        var result = await Probe.AskAsync(gateway.Http1, TimeSpan.FromSeconds(20));

        Figures.Write("one line", $"{what}: {(flood.Sent - before) / Megabyte} MB of 1024 taken by all attempts, {since.Elapsed.TotalSeconds:0.0} s, {result.Status}, memory + {(gateway.Resident - idle) / Megabyte} MB, peak {gateway.PeakResident / Megabyte} MB");
        // A replay beyond the gateway's own limit ends the matter; all else goes on to the fallback.
        Assert.True(result.Status == 200 ? result.IsDone() : result.ErrorCode() is "upstream_error" or "overloaded", $"{result.Status} {result.Text}");
        Assert.True(flood.Sent - before < 64 * Megabyte, $"{(flood.Sent - before) / Megabyte} MB were read");
        Assert.True(gateway.PeakResident - idle < 192 * Megabyte, $"{(gateway.PeakResident - idle) / Megabyte} MB");
        Assert.True(since.Elapsed < TimeSpan.FromSeconds(10), $"{since.Elapsed}");
    }

    [Theory]
    [InlineData(200, "text/event-stream")]
    [InlineData(200, "application/json")]
    [InlineData(500, "application/json")]
    [InlineData(400, "application/json")]
    public async Task GzipBombOfAnUpstream_IsNotUnpackedToItsEnd(int status, string contentType)
    {
        var bomb = s_gzip.Value;
        await using var upstream = ScriptedUpstream.Start();
        upstream.Default = new UpstreamScript().Head(status, contentType, BodyFraming.ContentLength, bomb.Length, ("Content-Encoding", "gzip")).Body(bomb).EndClean();
        await using var gateway = await GatewayProcess.StartAsync(s => s.Cluster("primary", upstream));
        var (idle, since) = (gateway.Resident, Stopwatch.StartNew());

        // A client's own error, however long, is the client's; it leaves after a while.
        var result = await RawHttpClient.SendAsync(
            new HttpCall { Address = gateway.Http1, Body = Chat.Default.Request(), Timeout = TimeSpan.FromSeconds(20), LeaveWhen = body => body.Length > Megabyte },
            TestContext.Current.CancellationToken);

        Figures.Write("gzip bomb", $"{bomb.Length / 1024} KB for 1024 MB under {status} {contentType}: {since.Elapsed.TotalSeconds:0.0} s, {result.Status} {result.Ending}, peak memory + {(gateway.PeakResident - idle) / Megabyte} MB");
        Assert.NotEqual(ClientEnding.TimedOut, result.Ending);
        Assert.True(status == 400 ? result.Status is 400 : result.Status >= 500, $"{result.Status}");
        Assert.True(gateway.PeakResident - idle < 192 * Megabyte, $"{(gateway.PeakResident - idle) / Megabyte} MB");
        Assert.True(since.Elapsed < TimeSpan.FromSeconds(10), $"{since.Elapsed}");
    }

    [Theory]
    [InlineData("POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 1073741824\r\n\r\n\"", 413)]
    [InlineData("POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n40000000\r\n\"", 413)]
    [InlineData("POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nX-Long: ", 431)]
    [InlineData("GET /", 414)]
    public async Task RequestOfAGigabyteInOneLine_IsRefusedEarly(string begin, int status)
    {
        await using var upstream = ScriptedUpstream.Start();
        await using var gateway = await GatewayProcess.StartAsync(s => s.Cluster("primary", upstream));
        var idle = gateway.Resident;

        var (statuses, sent) = await FloodAsync(gateway.Http1, begin, Gigabyte);
        for (var again = 0; statuses == "reset" && again < 5; again++)
        {
            // A client that goes on sending may lose the answer to the reset that its own bytes bring about (RFC 9112, section 9.6).
            (statuses, sent) = await FloodAsync(gateway.Http1, begin, Gigabyte);
        }

        Figures.Write("one line of a client", $"{begin.Split(' ')[0]} ... {begin.Length}: {statuses} after {sent / Megabyte} MB of 1024, peak memory + {(gateway.PeakResident - idle) / Megabyte} MB");
        Assert.Contains($"{status}", statuses, StringComparison.Ordinal);
        Assert.True(sent < 64 * Megabyte, $"{sent / Megabyte} MB");
        Assert.True(gateway.PeakResident - idle < 128 * Megabyte, $"{(gateway.PeakResident - idle) / Megabyte} MB");
        Assert.Equal(0, upstream.RequestCount);
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("br")]
    [InlineData("gzip, gzip")]
    public async Task CompressedRequest_IsRefusedUnread(string coding)
    {
        await using var upstream = ScriptedUpstream.Start();
        await using var gateway = await GatewayFixture.StartAsync(s => s.Cluster("primary", upstream));

        var result = await gateway.SendAsync(Wire.Http1, s_gzip.Value[..100_000], c => c with { Headers = [.. c.Headers, new("Content-Encoding", coding)] });

        Assert.Equal((400, "invalid_request", 0), (result.Status, result.ErrorCode(), upstream.RequestCount));
    }

    [Theory]
    [InlineData("[", "")]
    [InlineData("{\"a\":", "")]
    [InlineData("{\"model\":\"m\",\"x\":[", "")]
    [InlineData("{\"model\":\"m\",\"messages\":[", "")]
    public async Task RequestNestedAHundredThousandDeep_Is400(string open, string close)
    {
        await using var upstream = ScriptedUpstream.Start();
        await using var gateway = await GatewayFixture.StartAsync(s => s.Cluster("primary", upstream));
        var body = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat(open, 100_000)) + string.Concat(Enumerable.Repeat(close, 100_000)));
        var since = Stopwatch.StartNew();

        var result = await gateway.SendAsync(Wire.Http1, body);

        Assert.Equal((400, "invalid_request", 0), (result.Status, result.ErrorCode(), upstream.RequestCount));
        Assert.True(since.Elapsed < TimeSpan.FromSeconds(5), $"{since.Elapsed}");
    }

    /// <summary>Writes until the peer stops it, and says with which status.</summary>
    private static async Task<(string Statuses, long Sent)> FloodAsync(Uri address, string begin, long limit)
    {
        using var socket = new System.Net.Sockets.Socket(System.Net.Sockets.AddressFamily.InterNetwork, System.Net.Sockets.SocketType.Stream, System.Net.Sockets.ProtocolType.Tcp);
        var cancel = TestContext.Current.CancellationToken;
        await socket.ConnectAsync(address.Host, address.Port, cancel);
        var answer = new byte[4096];
        var reading = socket.ReceiveAsync(answer, cancel).AsTask();
        var sent = 0L;
        try
        {
            await socket.SendAsync(Encoding.ASCII.GetBytes(begin), cancel);
            byte[] piece = [.. Enumerable.Repeat((byte)'x', 64 * 1024)];
            while (sent < limit && !reading.IsCompleted)
            {
                sent += await socket.SendAsync(piece, cancel);
            }

            return (Encoding.Latin1.GetString(answer, 0, await reading).Split('\r')[0], sent);
        }
        catch (System.Net.Sockets.SocketException)
        {
            return (reading.IsCompletedSuccessfully ? Encoding.Latin1.GetString(answer, 0, reading.Result).Split('\r')[0] : "reset", sent);
        }
    }
}
