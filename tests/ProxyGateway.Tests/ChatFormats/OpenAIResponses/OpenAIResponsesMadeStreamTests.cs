using System.Text;
using System.Text.Json.Nodes;
using ProxyGateway.StreamingFallback.ChatFormats;
using ProxyGateway.StreamingFallback.Guard;
using ProxyGateway.StreamingFallback.Telemetry;
using Xunit;
using static ProxyGateway.Tests.ChatFormats.OpenAIResponses.ResponsesFixtures;

namespace ProxyGateway.Tests.ChatFormats.OpenAIResponses;

public sealed class OpenAIResponsesMadeStreamTests
{
    [Fact]
    public void Answer_BecomesTheStreamThatItsServerWouldHaveSent()
    {
        var (verdict, events) = Continue(null, Script("mixed").Answer());

        Assert.Equal(AnswerVerdict.Usable, verdict);
        Assert.Equal(
            [
                "created", "in_progress",
                "output_item.added 0",
                "reasoning_summary_part.added 0.0", "reasoning_summary_text.delta 0.0 First thought", "reasoning_summary_text.done 0.0", "reasoning_summary_part.done 0.0",
                "reasoning_summary_part.added 0.1", "reasoning_summary_text.delta 0.1 Second", "reasoning_summary_text.done 0.1", "reasoning_summary_part.done 0.1",
                "output_item.done 0",
                "output_item.added 1", "web_search_call.in_progress 1", "web_search_call.searching 1", "web_search_call.completed 1", "output_item.done 1",
                "output_item.added 2", "custom_tool_call_input.delta 2 echo \"hi\"", "custom_tool_call_input.done 2", "output_item.done 2",
                "output_item.added 3", "content_part.added 3.0", "output_text.delta 3.0 Done.", "output_text.done 3.0", "content_part.done 3.0", "output_item.done 3",
                "completed",
            ],
            StrictClient.Read(events).Skeleton);
    }

    [Theory]
    [InlineData("text")]
    [InlineData("calls")]
    [InlineData("mixed")]
    [InlineData("refusal")]
    public void MadeStream_IsAHealthyStreamToTheGuardItself(string name)
    {
        var answer = Script(name).Answer();
        var (_, events) = Continue(null, answer);

        var (delivered, guard, reader) = Guarded(events);

        Assert.Equal(GuardState.Done, guard.State);
        Assert.Equal(Text(events), Text(delivered));
        Assert.True(reader.CanSplice);
        var client = StrictClient.Read(events);
        var whole = JsonNode.Parse(answer)!.AsObject();
        Assert.Equal("resp_a", client.ResponseId);
        Assert.Equal(StrictClient.Content(whole["output"]!.AsArray()), StrictClient.Content(client.Output));
        Assert.Equal(whole["usage"]!.ToJsonString(), client.Final!["usage"]!.ToJsonString());
    }

    [Fact]
    public void NothingDeliveredButLifecycle_IsTheSameAsNothing()
    {
        var stream = Text(Script("text").Bytes);
        var (delivered, _, reader) = Guarded(Encoding.UTF8.GetBytes(stream[..stream.IndexOf("event: response.output_text.delta", StringComparison.Ordinal)]), FaultKind.ConnectionReset);
        Assert.Empty(delivered);

        var (_, events) = Continue(reader, Script("calls", "b").Answer());

        Assert.Equal("resp_b", StrictClient.Read(events).ResponseId);
    }

    [Fact]
    public void LongText_ComesInPieces()
    {
        var text = string.Concat(Enumerable.Repeat("Wörter ", 200));
        var (_, events) = Continue(null, new UpstreamScript().Created().Message([text]).Answer());

        var deltas = StrictClient.Read(events).Skeleton.Count(l => l.StartsWith("output_text.delta", StringComparison.Ordinal));

        Assert.InRange(deltas, 5, 20);
    }

    [Fact]
    public void AnswerWithoutIds_GetsSome()
    {
        var (_, events) = Continue(null, """{"status":"completed","output":[{"type":"function_call","name":"f","arguments":"{}"},{"type":"message","content":[{"type":"output_text","text":"x"}]}]}"""u8.ToArray());

        var output = JsonNode.Parse(Text(events).Split("data: ")[^1])!["response"]!;
        Assert.Equal("resp_gateway", (string?)output["id"]);
        Assert.Equal("item_0", (string?)output["output"]![0]!["id"]);
        Assert.Equal("call_0", (string?)output["output"]![0]!["call_id"]);
        Assert.Equal("item_1", (string?)output["output"]![1]!["id"]);
        Assert.Equal("m", (string?)output["model"]);
    }

    [Theory]
    [InlineData("""{"type":"reasoning","id":"r","summary":[],"content":[{"type":"reasoning_text","text":"hm"}]}""", "content_part.added 0.0|reasoning_text.delta 0.0 hm|reasoning_text.done 0.0|content_part.done 0.0")]
    [InlineData("""{"type":"code_interpreter_call","id":"c","code":"1+1","outputs":[]}""", "code_interpreter_call.in_progress 0|code_interpreter_call_code.delta 0 1+1|code_interpreter_call_code.done 0|code_interpreter_call.interpreting 0|code_interpreter_call.completed 0")]
    [InlineData("""{"type":"mcp_call","id":"c","arguments":"{}","error":"x"}""", "mcp_call.in_progress 0|mcp_call_arguments.delta 0 {}|mcp_call_arguments.done 0|mcp_call.failed 0")]
    [InlineData("""{"type":"image_generation_call","id":"c","result":"aGk="}""", "image_generation_call.in_progress 0|image_generation_call.generating 0|image_generation_call.completed 0")]
    [InlineData("""{"type":"something_new","id":"c","status":"completed"}""", "")]
    [InlineData("""{"type":"message","id":"m","content":[{"type":"output_audio","data":"x"}]}""", "content_part.added 0.0|content_part.done 0.0")]
    public void ItemOfAnyKind_HasItsOwnEvents(string item, string between)
    {
        var (_, events) = Continue(null, Encoding.UTF8.GetBytes($$"""{"id":"r","status":"completed","output":[{{item}}]}"""));

        var skeleton = StrictClientSkeleton(events);
        string[] expected = ["created", "in_progress", "output_item.added 0", .. between.Split('|', StringSplitOptions.RemoveEmptyEntries), "output_item.done 0", "completed"];
        Assert.Equal(expected, skeleton);
        var done = JsonNode.Parse(Text(events).Split("data: ")[^2].Split('\n')[0])!["item"]!;
        Assert.True(JsonNode.DeepEquals(JsonNode.Parse(item), done));
    }

    /// <summary>The events without the grammar, which knows only the kinds whose text is streamed.</summary>
    private static List<string> StrictClientSkeleton(byte[] events) => [.. Text(events).Split('\n')
        .Where(l => l.StartsWith("data: ", StringComparison.Ordinal))
        .Select(l => JsonNode.Parse(l[6..])!.AsObject())
        .Select(StrictClient.Short)];
}
