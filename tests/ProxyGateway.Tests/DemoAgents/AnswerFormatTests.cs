using System.Text;
using System.Text.Json;
using CsCheck;
using ProxyGateway.DemoAgents;
using Xunit;

namespace ProxyGateway.Tests.DemoAgents;

public sealed class AnswerFormatTests
{
    [Fact]
    public void AnyPrompt_StreamedTextIsTheBodysText()
    {
        Gen.Select(Gen.String, Gen.Int[1, 60], Gen.Bool).Sample((prompt, tokens, tool) =>
        {
            var answer = Answer(prompt, tokens, tool);

            var streamed = Deltas(new OpenAIChatFormat().Stream(answer), tool);
            var message = JsonDocument.Parse(new OpenAIChatFormat().Body(answer)).RootElement.GetProperty("choices")[0].GetProperty("message");

            Assert.Equal(tool ? Arguments(message) : message.GetProperty("content").GetString(), streamed);
        }, iter: 200);
    }

    [Fact]
    public void ToolArguments_AreOneJsonObject()
    {
        Gen.Select(Gen.String, Gen.Int[1, 60]).Sample((prompt, tokens) =>
        {
            var text = DemoText.Join(DemoText.ArgumentPieces(DemoText.Hash(prompt), tokens));

            Assert.Equal(tokens, JsonDocument.Parse(text).RootElement.GetProperty("query").GetString()!.Split(' ').Length);
        }, iter: 200);
    }

    [Fact]
    public void OtherText_DiffersInTheFirstToken()
    {
        Gen.String.Sample(prompt =>
        {
            var hash = DemoText.Hash(prompt);

            Assert.NotEqual(DemoText.Tokens(hash, 5, other: true)[0], DemoText.Tokens(hash, 5, other: false)[0]);
        }, iter: 200);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Slices_AreWholeEventsAndTogetherTheStream(bool anthropic)
    {
        AnswerFormat format = anthropic ? new AnthropicMessagesFormat() : new OpenAIChatFormat();

        var stream = format.Stream(Answer("x", 8, tool: false));

        Assert.Equal(8, stream.ContentCount);
        byte[] all = [.. stream.Opening.Span, .. stream.Content(0, 3).Span, .. stream.Content(3, 8).Span, .. stream.Ending.Span];
        Assert.Equal(stream.Bytes, all);
        Assert.All(stream.Ends, end => Assert.Equal("\n\n", Encoding.UTF8.GetString(stream.Bytes, end - 2, 2)));
        Assert.DoesNotContain((byte)'\n', stream.HalfEvent(8)[^5..].ToArray());
    }

    private static AnswerContent Answer(string prompt, int tokens, bool tool) =>
        new("id", "m", DemoText.Hash(prompt), 1, tokens, OtherText: false, tool, IncludeUsage: false);

    private static string Deltas(RenderedStream stream, bool tool) => string.Concat(
        Encoding.UTF8.GetString(stream.Content(0, stream.ContentCount).Span)
            .Split("\n\n", StringSplitOptions.RemoveEmptyEntries)
            .Select(e => JsonDocument.Parse(e["data: ".Length..]).RootElement.GetProperty("choices")[0].GetProperty("delta"))
            .Select(delta => tool ? Arguments(delta) : delta.GetProperty("content").GetString()));

    private static string? Arguments(JsonElement parent) =>
        parent.GetProperty("tool_calls")[0].GetProperty("function").GetProperty("arguments").GetString();
}
