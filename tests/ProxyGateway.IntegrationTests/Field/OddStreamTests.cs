using ProxyGateway.IntegrationTests.Gateway;
using ProxyGateway.TestKit.Chats;
using ProxyGateway.TestKit.Contract;
using ProxyGateway.TestKit.Upstream;
using Xunit;

namespace ProxyGateway.IntegrationTests.Field;

/// <summary>Odd but good streams: nothing of them may be lost or changed.</summary>
public sealed class OddStreamTests
{
    public static TheoryData<Wire, string> Forms()
    {
        var data = new TheoryData<Wire, string>();
        foreach (var wire in Enum.GetValues<Wire>())
        {
            foreach (var form in (string[])["crlf", "cr", "bom", "comments", "multi-line", "ids and events", "no space", "unknown fields"])
            {
                data.Add(wire, form);
            }
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(Forms))]
    public async Task OddForm_ArrivesByteForByte(Wire wire, string form)
    {
        var stream = Stream(form);
        await using var upstream = ScriptedUpstream.Start(UpstreamScript.EventStream().Events(stream).EndClean());
        await using var gateway = await GatewayFixture.StartAsync(s => s.Cluster("primary", upstream));

        var result = await gateway.StreamAsync(wire);

        Assert.Equal(stream, result.Body);
        Assert.Equal((ClientEnding.Clean, 1), (result.Ending, upstream.RequestCount));
        await gateway.AssertContractAsync(result);
    }

    [Theory]
    [MemberData(nameof(Forms))]
    public async Task OddFormCutByteByByte_IsSplicedAllTheSame(Wire wire, string form)
    {
        var stream = Stream(form);
        var script = UpstreamScript.EventStream();
        for (var i = 0; i < stream.Length / 2; i++)
        {
            script = script.Body(stream.AsMemory(i, 1));
        }

        await using var upstream = ScriptedUpstream.Start(script.CloseWithoutTerminator(), UpstreamScript.Json(Agents.WholeAnswer));
        await using var gateway = await GatewayFixture.StartAsync(s => s.Cluster("primary", upstream));

        var result = await gateway.StreamAsync(wire);

        Assert.Equal((ClientEnding.Clean, Agents.WholeText), (result.Ending, result.Text()));
        await gateway.AssertContractAsync(result);
    }

    [Theory]
    [InlineData(Wire.Http1)]
    [InlineData(Wire.Http2)]
    public async Task SplitInsideACodePoint_ArrivesAsItWasSent(Wire wire)
    {
        var stream = Chat.Default.Stream("日本", "語 🦊", "é");
        var script = UpstreamScript.EventStream();
        for (var i = 0; i < stream.Length; i++)
        {
            script = script.Body(stream.AsMemory(i, 1));
        }

        await using var upstream = ScriptedUpstream.Start(script.EndClean());
        await using var gateway = await GatewayFixture.StartAsync(s => s.Cluster("primary", upstream));

        var result = await gateway.StreamAsync(wire);

        Assert.Equal(stream, result.Body);
        await gateway.AssertContractAsync(result);
    }

    [Theory]
    [InlineData(Wire.Http1, false)]
    [InlineData(Wire.Http2, false)]
    [InlineData(Wire.Http1, true)]
    [InlineData(Wire.Http2, true)]
    public async Task UsageOnlyLastChunk_ReachesTheClientOnce(Wire wire, bool spliced)
    {
        var request = Chat.Default.Request(includeUsage: true);
        await using var upstream = spliced
            ? ScriptedUpstream.Start(Agents.Started(4).ThenReset(), UpstreamScript.Json(Agents.WholeAnswer))
            : ScriptedUpstream.Start(UpstreamScript.Stream(Chat.Default.Stream(ChatChoice.Of(Agents.Words), usage: true)));
        await using var gateway = await GatewayFixture.StartAsync(s => s.Cluster("primary", upstream));

        var result = await gateway.SendAsync(wire, request);

        var usage = Assert.Single(result.Chunks(), c => c.TryGetProperty("usage", out var u) && u.ValueKind == System.Text.Json.JsonValueKind.Object);
        Assert.Equal(0, usage.GetProperty("choices").GetArrayLength());
        Assert.Equal(12, usage.GetProperty("usage").GetProperty("total_tokens").GetInt32());
        Assert.Equal(Agents.WholeText, result.Text());
        await gateway.AssertContractAsync(result, request);
    }

    public static TheoryData<Wire, string, bool> Riches()
    {
        var data = new TheoryData<Wire, string, bool>();
        foreach (var wire in Enum.GetValues<Wire>())
        {
            foreach (var kind in (string[])["n", "tools", "reasoning", "refusal", "logprobs"])
            {
                data.Add(wire, kind, false);
                data.Add(wire, kind, true);
            }
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(Riches))]
    public async Task MoreThanText_ArrivesWholeAlsoAfterACut(Wire wire, string kind, bool cut)
    {
        ChatChoice[] choices = kind switch
        {
            "n" => [ChatChoice.Of("first ", "answer"), ChatChoice.Of("second ", "answer")],
            "tools" => [new ChatChoice { Text = ["I look. "], Tools = [new("call_1", "weather", "{\"city\":", "\"Par", "is\"}"), new("call_2", "time", "{}")] }],
            "reasoning" => [new ChatChoice { Reasoning = ["let ", "me ", "see"], Text = ["It ", "is ", "so."] }],
            "refusal" => [new ChatChoice { Refusal = ["I ", "will ", "not."] }],
            _ => [ChatChoice.Of("with ", "log", "probs")],
        };
        var stream = Chat.Bytes([.. Chat.Default.Events(choices)]);
        if (kind == "logprobs")
        {
            stream = System.Text.Encoding.UTF8.GetBytes(System.Text.Encoding.UTF8.GetString(stream).Replace(
                "\"logprobs\":null,\"finish_reason\":null", "\"logprobs\":{\"content\":[{\"token\":\"x\",\"logprob\":-0.5,\"bytes\":[120],\"top_logprobs\":[]}]},\"finish_reason\":null", StringComparison.Ordinal));
        }

        var request = Chat.Default.Request(n: choices.Length);
        await using var upstream = cut
            ? ScriptedUpstream.Start(UpstreamScript.Cut(stream, stream.Length / 2).CloseWithoutTerminator(), UpstreamScript.Json(Chat.Default.Completion(choices)))
            : ScriptedUpstream.Start(UpstreamScript.Stream(stream));
        await using var gateway = await GatewayFixture.StartAsync(s => s.Cluster("primary", upstream));

        var result = await gateway.SendAsync(wire, request);

        Assert.Equal((200, ClientEnding.Clean, true), (result.Status, result.Ending, result.IsDone()));
        if (!cut)
        {
            Assert.Equal(stream, result.Body);
        }

        Assert.Equal(cut ? 2 : 1, upstream.RequestCount);
        await gateway.AssertContractAsync(result, request);
    }

    [Theory]
    [InlineData(Wire.Http1)]
    [InlineData(Wire.Http2)]
    public async Task ToolCallCutAndTheReplayCallsSomethingElse_ErrorEvent(Wire wire)
    {
        var stream = Chat.Bytes(Chat.Default.Role(), Chat.Default.Tool(0, "call_1", "weather", "{\"city\":\"Pa"));
        await using var upstream = ScriptedUpstream.Start(
            UpstreamScript.EventStream().Events(stream).ThenReset(),
            UpstreamScript.Json(Chat.Default.Completion([ChatChoice.Call(new ChatToolCall("call_9", "weather", "{\"city\":\"Rome\"}"))])));
        await using var gateway = await GatewayFixture.StartAsync(s => s.Cluster("primary", upstream));

        var result = await gateway.StreamAsync(wire);

        Assert.Equal("upstream_truncated", result.ErrorCode());
        Assert.DoesNotContain("Rome", result.Text, StringComparison.Ordinal);
        await gateway.AssertContractAsync(result);
    }

    [Theory]
    [InlineData(Wire.Http1, false)]
    [InlineData(Wire.Http2, false)]
    [InlineData(Wire.Http1, true)]
    [InlineData(Wire.Http2, true)]
    public async Task GzipAlthoughIdentityWasAskedFor_IsUnpacked(Wire wire, bool cut)
    {
        var packed = Pack(Agents.WholeStream);
        var head = new UpstreamScript().Head(200, "text/event-stream", headers: ("Content-Encoding", "gzip"));
        await using var upstream = ScriptedUpstream.Start(
            cut ? head.Body(packed.AsMemory(0, packed.Length / 2)).CloseWithoutTerminator() : head.Body(packed.AsMemory(0, 40)).Body(packed.AsMemory(40)).EndClean(),
            UpstreamScript.Json(Agents.WholeAnswer));
        await using var gateway = await GatewayFixture.StartAsync(s => s.Cluster("primary", upstream));

        var result = await gateway.SendAsync(wire, Chat.Default.Request(), call => call with { Headers = [.. call.Headers, new("Accept-Encoding", "gzip, br")] });

        Assert.Null(result.Header("Content-Encoding"));
        Assert.Equal("identity", upstream.Exchanges[0].Header("Accept-Encoding"));
        Assert.Equal((ClientEnding.Clean, Agents.WholeText), (result.Ending, result.Text()));
        await gateway.AssertContractAsync(result);
    }

    [Theory]
    [InlineData(Wire.Http1)]
    [InlineData(Wire.Http2)]
    public async Task FallbackAnswers_ItsModelAndUsageAreWhatTheClientSees(Wire wire)
    {
        var request = Chat.Default.Request(includeUsage: true);
        await using var upstream = ScriptedUpstream.Start();
        upstream.Default = Agents.Error(503);
        await using var droid = ScriptedUpstream.Start(UpstreamScript.Stream(Agents.Other.Stream(ChatChoice.Of(Agents.Words), usage: true)));
        await using var gateway = await GatewayFixture.StartAsync(s => s.Cluster("primary", upstream).Cluster("droid", droid).Fallback("primary", "droid=droid-1"));

        var result = await gateway.SendAsync(wire, request);

        Assert.All(result.Chunks(), c => Assert.Equal("other-model", c.GetProperty("model").GetString()));
        Assert.Single(result.Chunks(), c => c.TryGetProperty("usage", out var u) && u.ValueKind == System.Text.Json.JsonValueKind.Object);
        await gateway.AssertContractAsync(result, request);
    }

    private static byte[] Stream(string form)
    {
        var plain = System.Text.Encoding.UTF8.GetString(Agents.WholeStream);
        var text = form switch
        {
            "crlf" => plain.Replace("\n", "\r\n", StringComparison.Ordinal),
            "cr" => plain.Replace("\n", "\r", StringComparison.Ordinal),
            "bom" => "\uFEFF" + plain,
            "comments" => ": OPENROUTER PROCESSING\n\n" + plain.Replace("data: {", ": ping\ndata: {", StringComparison.Ordinal),
            "multi-line" => plain.Replace(",\"choices\"", ",\ndata: \"choices\"", StringComparison.Ordinal),
            "ids and events" => plain.Replace("data: {", "id: 7\nevent: message\nretry: 3000\ndata: {", StringComparison.Ordinal),
            "no space" => plain.Replace("data: ", "data:", StringComparison.Ordinal),
            _ => plain.Replace("data: {", "weird: field\nnothing\ndata: {", StringComparison.Ordinal),
        };
        return System.Text.Encoding.UTF8.GetBytes(text);
    }

    private static byte[] Pack(byte[] plain)
    {
        using var packed = new MemoryStream();
        using (var gzip = new System.IO.Compression.GZipStream(packed, System.IO.Compression.CompressionLevel.NoCompression))
        {
            gzip.Write(plain);
        }

        return packed.ToArray();
    }
}
