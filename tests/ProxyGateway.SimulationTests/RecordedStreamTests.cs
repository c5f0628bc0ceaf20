using ProxyGateway.SimulationTests.Grid;
using ProxyGateway.SimulationTests.Simulation;
using ProxyGateway.StreamingFallback.Configuration;
using ProxyGateway.TestKit.Contract;
using ProxyGateway.TestKit.Data;
using Xunit;

namespace ProxyGateway.SimulationTests;

/// <summary>
/// Every recorded stream of every format through the gateway's own pipeline, in reads of several sizes. A healthy one leaves it
/// as it came; and no stream, healthy or not, depends on how it was cut into reads.
/// </summary>
public sealed class RecordedStreamTests
{
    /// <summary>0 stands for one event per read.</summary>
    private static readonly int[] Reads = [GridCase.Whole, 0, 64, 7, 1];

    public static TheoryData<string, int> Formats => new()
    {
        { "openai-chat", 25 }, { "anthropic-messages", 23 }, { "openai-responses", 28 }, { "openai-completions", 3 }, { "gemini", 3 },
    };

    [Theory]
    [MemberData(nameof(Formats))]
    public void RecordedStream_IsUntouchedInReadsOfAnySize(string name, int atLeast)
    {
        var folder = SharedData.Require();
        Assert.SkipWhen(folder is null, SharedData.Missing);
        var format = GridFormats.All.Single(f => f.Name == name);
        using var gateway = new SimulatedGateway();
        var healthy = 0;
        List<string> wrong = [];
        foreach (var stream in GridFormats.Recordings(format, RecordedStreams.Load(folder), int.MaxValue))
        {
            var sent = Reads.Select(read => Run(gateway, format, stream, read)).ToList();
            if (sent.Exists(s => !s.AsSpan().SequenceEqual(sent[0])))
            {
                wrong.Add($"{stream.Name} depends on its reads");
            }

            if (!stream.IsBroken && Expected(format, stream) is { } expected)
            {
                healthy++;
                wrong.AddRange(expected.AsSpan().SequenceEqual(sent[0]) ? [] : [$"{stream.Name} was changed"]);
            }
        }

        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
        Assert.True(healthy >= atLeast, $"{healthy} healthy streams");
    }

    /// <summary>The recording, with the end marker that it lacks; null where it goes on after its end.</summary>
    private static byte[]? Expected(GridFormat format, GridStream stream)
    {
        var reading = GridSubject.Read(format, stream.Bytes, stream.Request, TerminalRule.Either);
        var ends = reading.Events.Sum(e => e.Raw.Length) == stream.Bytes.Length;
        return !ends ? null : reading.HasDone ? stream.Bytes : [.. stream.Bytes, .. ContractFormats.Get(format.Name).MissingEnd.Span];
    }

    private static byte[] Run(SimulatedGateway gateway, GridFormat format, GridStream stream, int read)
    {
        var script = new UpstreamScript
        {
            ContentType = ContractFormats.Get(format.Name).StreamContentType,
            Body = stream.Bytes,
            Pauses = read == 0 ? new GridSubject(format, stream).Boundaries : [],
        };
        using var client = new SimulatedClient(gateway.Time, http2: false);
        gateway.Upstream.Begin(client, read == 0 ? GridCase.Whole : read, format.AsksForStream, (_, _, _) => script);
        Assert.True(gateway.Run(new SimulatedRoute(format.Name, Replay: ReplayPolicy.Never, HasFallback: false), stream.Request, format.Target, client, out _), stream.Name);
        Assert.Null(gateway.Crash);
        return client.FlushedBytes;
    }
}
