using System.Text;
using ProxyGateway.StreamingFallback.ChatFormats;
using Xunit;

namespace ProxyGateway.Tests.ChatFormats;

public sealed class TokenUsageTests
{
    [Theory]
    [InlineData("openai-chat", """{"id":"1","choices":[],"usage":{"prompt_tokens":7,"completion_tokens":5,"total_tokens":12}}""", 7L, 5L)]
    [InlineData("openai-chat", """{"id":"1","choices":[{"index":0}],"usage":null}""", null, null)]
    [InlineData("openai-completions", """{"choices":[],"usage":{"prompt_tokens":7,"completion_tokens":5}}""", 7L, 5L)]
    [InlineData("openai-responses", """{"type":"response.completed","response":{"id":"r","usage":{"input_tokens":7,"output_tokens":5}}}""", 7L, 5L)]
    [InlineData("openai-responses", """{"id":"r","object":"response","usage":{"input_tokens":7,"output_tokens":5}}""", 7L, 5L)]
    [InlineData("anthropic-messages", """{"type":"message_start","message":{"id":"m","usage":{"input_tokens":7,"cache_read_input_tokens":100,"cache_creation_input_tokens":20,"output_tokens":1}}}""", 127L, 1L)]
    [InlineData("anthropic-messages", """{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":5}}""", null, 5L)]
    [InlineData("gemini", """{"candidates":[],"usageMetadata":{"promptTokenCount":7,"candidatesTokenCount":5,"thoughtsTokenCount":3}}""", 7L, 8L)]
    [InlineData("ollama", """{"model":"m","done":true,"prompt_eval_count":7,"eval_count":5}""", 7L, 5L)]
    [InlineData("a2a", """{"jsonrpc":"2.0","result":{"usage":{"input_tokens":7}}}""", null, null)]
    // An answer may talk about usage; only its own counts.
    [InlineData("anthropic-messages", """{"content":[{"type":"tool_use","input":{"usage":{"input_tokens":999,"output_tokens":999}}}],"usage":{"input_tokens":7,"output_tokens":5}}""", 7L, 5L)]
    [InlineData("openai-chat", """{"choices":[{"message":{"content":"\"usage\":{\"prompt_tokens\":999}"}}]}""", null, null)]
    [InlineData("openai-chat", """{"usage":{"prompt_tokens":"many","completion_tokens":-5}}""", null, null)]
    [InlineData("openai-chat", """{"usage":{"prompt_tokens":7""", null, null)]
    [InlineData("openai-chat", "[DONE]", null, null)]
    [InlineData("openai-chat", "", null, null)]
    public void Document_SaysWhatItReports(string format, string json, long? input, long? output) =>
        Assert.Equal(new TokenUsage(input, output), ChatFormatRegistry.Find(format)!.ReadUsage(Encoding.UTF8.GetBytes(json)));

    [Fact]
    public void LaterCount_TakesThePlaceOfAnEarlierOne() =>
        Assert.Equal(new TokenUsage(7, 5), new TokenUsage(7, 1).Then(new TokenUsage(null, 5)));

    [Fact]
    public void EveryFormat_HasAnOperationAndAProvider() =>
        Assert.All(ChatFormatRegistry.All, f => Assert.True(f is { OperationName.Length: > 0, ProviderName.Length: > 0 }));
}
