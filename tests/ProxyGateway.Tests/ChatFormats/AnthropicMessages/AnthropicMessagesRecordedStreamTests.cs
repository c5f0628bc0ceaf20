using System.Text;
using System.Text.Json.Nodes;
using ProxyGateway.StreamingFallback.Guard;
using ProxyGateway.StreamingFallback.Telemetry;
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
    public void RecordedStreamsCutAfterEachEvent_AreJoinedToThemselves()
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
            for (var end = 0; (end = text.IndexOf("\n\n", end, StringComparison.Ordinal)) >= 0; end += 2)
            {
                var run = GuardedStream.Run(Encoding.UTF8.GetBytes(text[..(end + 2)]), FaultKind.ConnectionReset);
                if (run.Guard.State == GuardState.Done)
                {
                    continue;
                }

                var verdict = run.Continue(bytes);
                if (run.Reader.Message.Blocks.Any(b => b.IsReasoning && !b.IsWholeReasoning) && run.Reader.Delivered != StreamingFallback.ChatFormats.DeliveredKind.Nothing)
                {
                    Assert.Equal(StreamingFallback.ChatFormats.AnswerVerdict.Divergent, verdict);
                    continue;
                }

                Assert.True(verdict == StreamingFallback.ChatFormats.AnswerVerdict.Usable, $"{name} cut at {end}: {verdict}");
                Assert.Equal(ClientMessage.Comparable(message.Content), ClientMessage.Comparable(ReadLoosely(run.Client).Content));
                joined++;
            }
        }

        Assert.True(joined > 500, $"{joined} cuts were joined.");
    }

    /// <summary>Recordings may end with an empty object and start a call without its input; clients forgive both.</summary>
    private static ClientMessage ReadLoosely(ReadOnlySpan<byte> stream) => ClientMessage.Read(Wire.Utf8(Encoding.UTF8.GetString(stream)
        .Replace("event: message_stop\ndata: {}", "event: message_stop\ndata: {\"type\":\"message_stop\"}", StringComparison.Ordinal)
        .Replace("\"name\":\"get_weather\"}", "\"name\":\"get_weather\",\"input\":{}}", StringComparison.Ordinal)));

    private static IEnumerable<(string Name, byte[] Stream)> Recorded()
    {
        var folder = SharedFolder();
        foreach (var file in Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
        {
            if (file.EndsWith("LICENSE", StringComparison.Ordinal) || File.ReadAllText(file) is not { } text || !text.Contains("\"message_start\"", StringComparison.Ordinal))
            {
                continue;
            }

            // A file may hold several answers of one conversation, one after the other.
            var stream = file.EndsWith(".chunks.txt", StringComparison.Ordinal)
                ? string.Concat(text.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Select(Wire.Event))
                : text;
            for (var start = 0; start < stream.Length;)
            {
                var stop = stream.IndexOf("message_stop", start, StringComparison.Ordinal);
                var end = stop < 0 ? -1 : stream.IndexOf("\n\n", stop, StringComparison.Ordinal);
                if (stop < 0)
                {
                    break;
                }

                end = end < 0 ? stream.Length : end + 2;
                var one = stream[start..end];
                yield return (file, Wire.Utf8(one.EndsWith("\n\n", StringComparison.Ordinal) ? one : one.TrimEnd('\n') + "\n\n"));
                start = end;
            }
        }
    }

    private static string SharedFolder()
    {
        var folder = Environment.GetEnvironmentVariable("PROXYGATEWAY_SHARED_DATA") is { Length: > 0 } set ? set : BesideTheRepository();
        var streams = Path.Combine(folder, "llm-sse");
        if (!Directory.Exists(streams))
        {
            Assert.False(Environment.GetEnvironmentVariable("CI") == "true", $"There are no recorded streams in {streams}.");
            Assert.Skip($"There are no recorded streams in {streams}.");
        }

        return streams;
    }

    private static string BesideTheRepository()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "ProxyGateway.sln")))
        {
            folder = folder.Parent ?? throw new InvalidOperationException("The repository's root was not found.");
        }

        return Path.Combine(folder.FullName, "..", "shared", "data");
    }
}
