using System.Text.Json.Nodes;
using ProxyGateway.StreamingFallback.Buffers;
using ProxyGateway.StreamingFallback.ChatFormats;
using ProxyGateway.StreamingFallback.Guard;
using ProxyGateway.StreamingFallback.Telemetry;
using Xunit;
using static ProxyGateway.Tests.ChatFormats.OpenAIResponses.ResponsesFixtures;

namespace ProxyGateway.Tests.ChatFormats.OpenAIResponses;

/// <summary>Every way in which a stream can die, against a replay that says the same under other ids.</summary>
public sealed class OpenAIResponsesCutTests
{
    [Theory]
    [InlineData("text", 0)]
    [InlineData("calls", 0)]
    [InlineData("refusal", 0)]
    [InlineData("mixed", 4)]
    public void StreamCutAtAnyByte_ClientGetsTheWholeAnswerOrAnError(string name, int unjoinableEvents)
    {
        var upstream = Script(name);
        var answer = Script(name, "b").Answer();
        var stream = upstream.Bytes;
        var expected = StrictClient.Content(JsonNode.Parse(answer)!["output"]!.AsArray());
        int whole = 0, made = 0, spliced = 0;
        var refusedAt = new HashSet<int>();
        for (var cut = 0; cut <= stream.Length; cut++)
        {
            var (delivered, guard, reader) = Guarded(stream.AsSpan(0, cut), FaultKind.ConnectionReset);
            if (guard.State == GuardState.Done)
            {
                Assert.Equal(stream.Length, delivered.Length);
                whole++;
                continue;
            }

            if (reader.Delivered == DeliveredKind.Nothing)
            {
                Assert.Empty(delivered);
                made++;
            }
            else if (!reader.CanSplice)
            {
                Assert.Equal(AnswerVerdict.Divergent, Continue(reader, answer).Verdict);
                AssertFailsLoudly(delivered, reader);
                refusedAt.Add(delivered.Length);
                continue;
            }
            else
            {
                Assert.True(stream.AsSpan().StartsWith(delivered));
                spliced++;
            }

            var (verdict, rest) = Continue(reader, answer);
            Assert.Equal(AnswerVerdict.Usable, verdict);
            var client = StrictClient.Read([.. delivered, .. rest]);
            Assert.Equal("response.completed", client.Terminal);
            Assert.Equal(expected, StrictClient.Content(client.Output));
            if (delivered.Length > 0)
            {
                Assert.Equal("resp_a", client.ResponseId);
                Assert.Equal("model-a", (string?)client.Final!["model"]);
                Assert.Equal(1700000000, (long)client.Final["created_at"]!);
            }
        }

        Assert.True(whole > 0 && made > 0 && spliced > 0);
        // While a server's own tool is at work there is nothing that a replay could be joined to.
        Assert.Equal(unjoinableEvents, refusedAt.Count);
    }

    [Theory]
    [InlineData("text")]
    [InlineData("calls")]
    [InlineData("mixed")]
    public void NoCut_EverLeavesAClientWithAnItemsEndButNotTheResponses(string name)
    {
        var stream = Script(name).Bytes;
        for (var cut = 0; cut < stream.Length; cut++)
        {
            var (delivered, guard, _) = Guarded(stream.AsSpan(0, cut), FaultKind.ConnectionReset);
            if (guard.State != GuardState.Done)
            {
                var last = Text(delivered).Split("event: ")[^1];
                Assert.DoesNotContain(".done\n", last, StringComparison.Ordinal);
            }
        }
    }

    [Fact]
    public void HeartbeatsBetweenCutAndReplay_KeepTheNumbersWithoutAGap()
    {
        var stream = Script("text").Bytes;
        var cut = Text(stream).IndexOf("Welt", StringComparison.Ordinal) + 200;
        var (delivered, _, reader) = Guarded(stream.AsSpan(0, cut), FaultKind.ConnectionReset);
        using var beats = new PooledBuffer();
        Format.WriteHeartbeat(reader, beats);
        Format.WriteHeartbeat(reader, beats);

        var (_, rest) = Continue(reader, Script("text", "b").Answer());

        var client = StrictClient.Read([.. delivered, .. beats.Span, .. rest]);
        Assert.Equal("response.completed", client.Terminal);
        Assert.Equal(2, Text(beats.Span).Split("event: response.output_text.delta").Length - 1);
    }

    private static void AssertFailsLoudly(byte[] delivered, ChatStreamReader reader)
    {
        using var ending = new PooledBuffer();
        Format.WriteErrorEvent(new GatewayError(502, "divergence", "The replayed answer differs."), null, reader, ending);
        var client = StrictClient.Read([.. delivered, .. ending.Span]);
        Assert.True(client.SawError);
        Assert.Equal("response.failed", client.Terminal);
    }
}
