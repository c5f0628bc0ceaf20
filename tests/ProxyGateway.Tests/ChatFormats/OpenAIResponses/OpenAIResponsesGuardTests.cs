using System.Text;
using System.Text.Json.Nodes;
using ProxyGateway.StreamingFallback.Buffers;
using ProxyGateway.StreamingFallback.ChatFormats;
using ProxyGateway.StreamingFallback.Guard;
using ProxyGateway.StreamingFallback.Telemetry;
using Xunit;
using static ProxyGateway.Tests.ChatFormats.OpenAIResponses.ResponsesFixtures;

namespace ProxyGateway.Tests.ChatFormats.OpenAIResponses;

public sealed class OpenAIResponsesGuardTests
{
    [Theory]
    [InlineData("text", "\n", 1)]
    [InlineData("text", "\r\n", 7)]
    [InlineData("text", "\r", 7)]
    [InlineData("calls", "\n", 7)]
    [InlineData("mixed", "\r\n", 1)]
    [InlineData("refusal", "\n", int.MaxValue)]
    public void HealthyStreamInAnyPieces_GoesThroughUnchanged(string name, string lineEnd, int piece)
    {
        var stream = Script(name, lineEnd: lineEnd).Bytes;

        var (delivered, guard, _) = Guarded(stream, piece: piece);

        Assert.Equal(GuardState.Done, guard.State);
        Assert.Equal(Text(stream), Text(delivered));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(int.MaxValue)]
    public void RecordedStreamsInAnyPieces_GoThroughUnchanged(int piece)
    {
        var healthy = 0;
        foreach (var (name, stream) in ResponseRecordings.Load())
        {
            var (delivered, guard, reader) = Guarded(stream, piece: piece);
            if (Text(stream).Contains("\"response.failed\"", StringComparison.Ordinal))
            {
                Assert.True(guard is { State: GuardState.Faulted, Fault: FaultKind.ErrorEvent }, name);
                Assert.Empty(delivered);
                continue;
            }

            if (!ResponseRecordings.HasReadableEnd(stream))
            {
                Assert.True(guard is { State: GuardState.Faulted, Fault: FaultKind.EndedWithoutTerminal }, name);
                continue;
            }

            Assert.True(guard.State == GuardState.Done, $"{name}: {guard.State} {guard.Fault}");
            Assert.True(reader.IsFinished, name);
            Assert.Equal(0, guard.MalformedEvents);
            Assert.True(stream.AsSpan().SequenceEqual(delivered), name);
            healthy++;
        }

        Assert.InRange(healthy, 35, 1000);
    }

    [Fact]
    public void RecordedStreamsCutBeforeTheirEnd_AreJoinedToTheirOwnAnswer()
    {
        int joined = 0, refused = 0;
        foreach (var (name, stream) in ResponseRecordings.Load())
        {
            var events = Text(stream).Split("\n\n", StringSplitOptions.RemoveEmptyEntries);
            var end = Array.FindLastIndex(events, e => e.Contains("\"type\":\"response.completed\"", StringComparison.Ordinal));
            if (end < 0 || !ResponseRecordings.HasReadableEnd(stream))
            {
                continue;
            }

            var data = events[end][(events[end].IndexOf("data:", StringComparison.Ordinal) + 5)..];
            var answer = JsonNode.Parse(data)!["response"]!;
            // Text goes on for hundreds of events; every fifth of them tells as much as all.
            for (var cut = 1; cut <= end; cut += cut > 40 && end - cut > 10 ? 5 : 1)
            {
                var (delivered, _, reader) = Guarded(Encoding.UTF8.GetBytes(string.Concat(events.Take(cut).Select(e => e + "\n\n"))), FaultKind.ConnectionReset);
                if (reader.Delivered == DeliveredKind.Nothing)
                {
                    continue;
                }

                var (verdict, rest) = Continue(reader, Encoding.UTF8.GetBytes(answer.ToJsonString()));
                if (verdict != AnswerVerdict.Usable)
                {
                    Assert.Empty(rest);
                    refused++;
                    continue;
                }

                var final = JsonNode.Parse(Text(rest).Split("data: ")[^1])!["response"]!;
                Assert.True(StrictClient.Content(answer["output"]!.AsArray()) == StrictClient.Content(final["output"]!.AsArray()), $"{name} at {cut}");
                AssertSameText(name, answer, [.. delivered, .. rest]);
                joined++;
            }
        }

        Assert.True(joined > 500, $"joined {joined}, refused {refused}");
        TestContext.Current.TestOutputHelper?.WriteLine($"joined {joined}, refused {refused}");
    }

    [Fact]
    public void EverythingFromTheLastDeltaToTheEnd_LeavesInOneWrite()
    {
        var stream = Text(Script("calls").Bytes);
        var reader = NewReader();
        using var guard = new StreamGuard(Format, reader, 1 << 20);
        var writes = new List<string>();
        foreach (var e in stream.Split("\n\n", StringSplitOptions.RemoveEmptyEntries))
        {
            using var output = new PooledBuffer();
            guard.Push(Encoding.UTF8.GetBytes(e + "\n\n"), output);
            if (output.Length > 0)
            {
                writes.Add(Text(output.Span));
            }
        }

        Assert.Equal(3, Count(writes[^1]));
        Assert.EndsWith("\n\n", writes[^1], StringComparison.Ordinal);
        Assert.Contains("event: response.function_call_arguments.done", writes[^1], StringComparison.Ordinal);
        Assert.Contains("event: response.completed", writes[^1], StringComparison.Ordinal);
        // The ends of an item that another follows leave with the beginning of that one.
        Assert.Single(writes, w => w.Contains("\"output_index\":1", StringComparison.Ordinal) && w.Contains("event: response.output_item.done", StringComparison.Ordinal)
            && w.Contains("event: response.output_item.added", StringComparison.Ordinal) && Count(w) == 3);

        static int Count(string write) => write.Split("event: ").Length - 1;
    }

    [Fact]
    public void HeldEventsThatFindNoRoom_GoOnAndAreKept()
    {
        var script = new UpstreamScript().Created().Message([new string('x', 3000), "end"]).End();
        var stream = script.Bytes;

        var (delivered, guard, reader) = Guarded(stream, piece: 100, maxEventBytes: 8000);

        Assert.Equal(GuardState.Done, guard.State);
        Assert.Equal(Text(stream), Text(delivered));
        Assert.True(reader.Ledger.Items[0].Done);

        var cut = Text(stream).IndexOf("event: response.completed", StringComparison.Ordinal) + 3000;
        var (begun, broken, left) = Guarded(stream.AsSpan(0, cut), FaultKind.ConnectionReset, piece: 100, maxEventBytes: 8000);
        Assert.Equal(GuardState.Faulted, broken.State);
        var (verdict, rest) = Continue(left, script.Answer());
        Assert.Equal(AnswerVerdict.Usable, verdict);
        Assert.Equal("response.completed", StrictClient.Read([.. begun, .. rest]).Terminal);
    }

    [Theory]
    [InlineData("data: {\"type\":\"error\",\"code\":\"server_error\",\"message\":\"x\"}\n\n", FaultKind.ErrorEvent)]
    [InlineData("event: response.failed\ndata: {\"type\":\"response.failed\",\"response\":{\"error\":{}}}\n\n", FaultKind.ErrorEvent)]
    [InlineData("data: [DONE]\n\n", FaultKind.EndedWithoutTerminal)]
    [InlineData("", FaultKind.EndedWithoutTerminal)]
    public void StreamThatEndsThisWayAfterContent_IsAFault(string tail, object fault)
    {
        var stream = Text(Script("text").Bytes);
        var cut = stream.IndexOf("event: response.output_text.done", StringComparison.Ordinal);

        var (delivered, guard, _) = Guarded(Encoding.UTF8.GetBytes(stream[..cut] + tail));

        Assert.Equal(GuardState.Faulted, guard.State);
        Assert.Equal((FaultKind)fault, guard.Fault);
        Assert.Equal(stream[..cut], Text(delivered));
    }

    [Fact]
    public void WhatFollowsTheEnd_IsDroppedExceptTheMarker()
    {
        var stream = Text(Script("text").Bytes);

        var (delivered, guard, _) = Guarded(Encoding.UTF8.GetBytes(stream + "data: {\"type\":\"response.failed\",\"response\":{}}\n\ndata: [DONE]\n\ndata: {}\n\n"));

        Assert.Equal(GuardState.Done, guard.State);
        Assert.Equal(stream + "data: [DONE]\n\n", Text(delivered));
    }

    /// <summary>The text of a client that goes by the deltas is the text of one that goes by the final response.</summary>
    private static void AssertSameText(string name, JsonNode answer, byte[] stream)
    {
        var deltas = new StringBuilder();
        foreach (var line in Text(stream).Split('\n').Where(l => l.StartsWith("data:", StringComparison.Ordinal)))
        {
            var e = JsonNode.Parse(line[5..])!;
            if ((string?)e["type"] is "response.output_text.delta")
            {
                deltas.Append((string?)e["delta"]);
            }
        }

        var texts = answer["output"]!.AsArray().SelectMany(i => i!["content"]?.AsArray() ?? []).Where(p => (string?)p!["type"] == "output_text").Select(p => (string?)p!["text"]);
        Assert.True(string.Concat(texts) == deltas.ToString(), name);
    }
}
