using ProxyGateway.TestKit;
using ProxyGateway.TestKit.Chats;
using Xunit;

namespace ProxyGateway.Tests.TestKit;

public sealed class StreamSkeletonTests
{
    private static readonly Chat A = Chat.Default;

    [Fact]
    public void ChatStream_IsOneLinePerEvent()
    {
        var choice = new ChatChoice { Reasoning = ["hm"], Text = ["Hel", "lo"], Tools = [new ChatToolCall("call_1", "f", "{}")] };
        Assert.Equal(
            """
            0 role
            0 reasoning "hm"
            0 text "Hel"
            0 text "lo"
            0 tool 0 f(call_1)
            0 tool 0 "{}"
            0 finish tool_calls
            usage
            [DONE]
            """,
            StreamSkeleton.Text(A.Stream(choice, usage: true)));
    }

    [Fact]
    public void BrokenStream_ShowsWhatIsBroken() =>
        Assert.Equal(
            [": keepalive", "0 text \"Hi\"", "not JSON \"{\"", "error upstream_error", "rest \"data: ha\""],
            StreamSkeleton.Of(Chat.Bytes(Chat.Heartbeat, A.Text("Hi"), "data: {\n\n", Chat.GatewayError, "data: ha")));

    [Fact]
    public void TypedEvents_ShowTypeIndexAndText() =>
        Assert.Equal(
            ["content_block_delta 0 \"Hi\"", "message_stop", "response.output_text.delta 2 \"lo\""],
            StreamSkeleton.Of(Chat.Bytes(
                "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"Hi\"}}\n\n",
                "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n",
                "data: {\"type\":\"response.output_text.delta\",\"output_index\":2,\"delta\":\"lo\"}\n\n")));
}
