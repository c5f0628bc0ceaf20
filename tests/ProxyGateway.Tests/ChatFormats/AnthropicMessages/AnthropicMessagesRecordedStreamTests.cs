using System.Text;
using System.Text.Json.Nodes;
using ProxyGateway.StreamingFallback.ChatFormats;
using ProxyGateway.StreamingFallback.Guard;
using ProxyGateway.StreamingFallback.Telemetry;
using ProxyGateway.TestKit.Data;
using Xunit;

namespace ProxyGateway.Tests.ChatFormats.AnthropicMessages;

/// <summary>Streams that vendors recorded or wrote by hand.</summary>
public sealed class AnthropicMessagesRecordedStreamTests
{
    /// <summary>Recordings that break the format, and how.</summary>
    private static readonly Dictionary<string, FaultKind> Broken = new()
    {
        ["duplicate-message-start.chunks.txt"] = FaultKind.MalformedEvents,
        ["incomplete_partial_json_response.txt"] = FaultKind.BrokenToolCall,
    };

    [Fact]
    public void RecordedStreams_PassUntouchedInAnyPieces()
    {
        var streams = Recorded().ToList();
        Assert.True(streams.Count >= 25, $"Only {streams.Count} recorded streams were found.");
        foreach (var (name, stream) in streams)
        {
            foreach (var piece in (int[])[int.MaxValue, 1, 7])
            {
                var run = GuardedStream.Run(stream, piece: piece);
                if (Broken.TryGetValue(Path.GetFileName(name), out var fault))
                {
                    Assert.Equal(fault, run.Guard.Fault);
                    continue;
                }

                Assert.True(run.Guard.State == GuardState.Done, $"{name}: {run.Guard.Fault}");
                Assert.Equal(0, run.Guard.MalformedEvents);
                Assert.True(stream.AsSpan().SequenceEqual(run.Client), name);
            }
        }

        Assert.All(Broken.Keys, broken => Assert.Contains(streams, s => Path.GetFileName(s.Name) == broken));
    }

    [Fact]
    public void RecordedStreamsCutAfterAnEvent_AreJoinedToThemselves()
    {
        var joined = 0;
        foreach (var (name, stream) in Recorded().Where(s => !Broken.ContainsKey(Path.GetFileName(s.Name))))
        {
            var message = ReadLoosely(stream);
            var answer = new JsonObject
            {
                ["id"] = "msg_replay", ["type"] = "message", ["role"] = "assistant", ["model"] = "m", ["content"] = message.Content,
                ["stop_reason"] = message.StopReason, ["stop_sequence"] = null, ["usage"] = new JsonObject { ["input_tokens"] = 1, ["output_tokens"] = 2 },
            };
            var bytes = Encoding.UTF8.GetBytes(answer.ToJsonString());
            var text = Encoding.UTF8.GetString(stream);
            var events = text.Split("\n\n").Length;
            // Every cut costs a run of the whole recording, so long ones are cut at some forty places.
            for (int end = 0, n = 0; (end = text.IndexOf("\n\n", end, StringComparison.Ordinal)) >= 0; end += 2)
            {
                if (n++ % Math.Max(1, events / 40) != 0)
                {
                    continue;
                }

                var run = GuardedStream.Run(Encoding.UTF8.GetBytes(text[..(end + 2)]), FaultKind.ConnectionReset);
                if (run.Guard.State == GuardState.Done)
                {
                    continue;
                }

                var verdict = run.Continue(bytes);
                if (run.Reader.Message.Blocks.Any(b => b.IsReasoning && !b.IsWholeReasoning) && run.Reader.Delivered != DeliveredKind.Nothing)
                {
                    Assert.Equal(AnswerVerdict.Divergent, verdict);
                    continue;
                }

                Assert.True(verdict == AnswerVerdict.Usable, $"{name} cut at {end}: {verdict}");
                Assert.Equal(ClientMessage.Comparable(message.Content), ClientMessage.Comparable(ReadLoosely(run.Client).Content));
                joined++;
            }
        }

        Assert.True(joined > 300, $"{joined} cuts were joined.");
    }

    /// <summary>Recordings may end with an empty object and start a call without its input; clients forgive both.</summary>
    private static ClientMessage ReadLoosely(ReadOnlySpan<byte> stream) => ClientMessage.Read(Wire.Utf8(Encoding.UTF8.GetString(stream)
        .Replace("event: message_stop\ndata: {}", "event: message_stop\ndata: {\"type\":\"message_stop\"}", StringComparison.Ordinal)
        .Replace("\"name\":\"get_weather\"}", "\"name\":\"get_weather\",\"input\":{}}", StringComparison.Ordinal)));

    /// <summary>Every answer that was recorded; a recording may hold several of one conversation, one after the other.</summary>
    private static IEnumerable<(string Name, byte[] Stream)> Recorded()
    {
        if (SharedData.Require() is not { } folder)
        {
            Assert.Skip(SharedData.Missing);
            yield break;
        }

        foreach (var recorded in RecordedStreams.Load(folder).Where(r => r.Format == "anthropic-messages"))
        {
            var stream = Encoding.UTF8.GetString(recorded.Bytes);
            for (int start = 0, stop; (stop = stream.IndexOf("message_stop", start, StringComparison.Ordinal)) >= 0;)
            {
                var end = stream.IndexOf("\n\n", stop, StringComparison.Ordinal) is var blank and >= 0 ? blank + 2 : stream.Length;
                var one = stream[start..end].TrimEnd('\n') + "\n\n";
                yield return (recorded.Name, Wire.Utf8(one));
                start = end;
            }
        }
    }
}
