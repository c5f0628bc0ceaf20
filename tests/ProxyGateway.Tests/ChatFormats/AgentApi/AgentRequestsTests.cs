using ProxyGateway.StreamingFallback.ChatFormats.AgentApi;
using Xunit;

namespace ProxyGateway.Tests.ChatFormats.AgentApi;

public sealed class AgentRequestsTests
{
    [Theory]
    [InlineData("GET", "/events", null, "Events")]
    [InlineData("GET", "/events/", "*/*", "Events")]
    [InlineData("get", "/@me/workspace/apps/agent/events", null, "Events")]
    [InlineData("GET", "/internal/screen", null, "Events")]
    [InlineData("GET", "/anything", "text/html, Text/Event-Stream;q=0.9", "Events")]
    [InlineData("POST", "/message", "application/json", "Message")]
    [InlineData("POST", "/prefix/message/", null, "Message")]
    [InlineData("POST", "/upload", null, "Other")]
    [InlineData("POST", "/events", "text/event-stream", "Other")]
    [InlineData("GET", "/message", null, "Other")]
    [InlineData("GET", "/messages", null, "Other")]
    [InlineData("GET", "/status", "application/json", "Other")]
    [InlineData("GET", "/chat/embed", "text/html", "Other")]
    [InlineData("GET", "/no-events", null, "Other")]
    [InlineData("OPTIONS", "/message", null, "Other")]
    [InlineData("HEAD", "/events", null, "Other")]
    public void Request_IsWhatItsMethodPathAndAcceptSay(string method, string path, string? accept, string kind) =>
        Assert.Equal(kind, AgentRequests.KindOf(method, path, accept).ToString());
}
