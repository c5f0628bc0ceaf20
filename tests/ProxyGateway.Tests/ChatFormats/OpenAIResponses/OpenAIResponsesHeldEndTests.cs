using System.Text;
using ProxyGateway.StreamingFallback.ChatFormats;
using ProxyGateway.StreamingFallback.ChatFormats.OpenAIResponses;
using ProxyGateway.StreamingFallback.Configuration;
using ProxyGateway.StreamingFallback.Guard;
using ProxyGateway.StreamingFallback.Telemetry;
using Xunit;
using static ProxyGateway.TestKit.Chats.ResponseStream;

namespace ProxyGateway.Tests.ChatFormats.OpenAIResponses;

/// <summary>Ends that wait, and ends that contradict what came before them.</summary>
public sealed class OpenAIResponsesHeldEndTests
{
    private static readonly ChatFormats.GuardedStream Stream = new(new OpenAIResponsesFormat(), Encoding.UTF8.GetString(Request()));
    private static readonly string[] Hello = [Created(), .. Message(0, "output_text", "Hel", "lo")];
    private static readonly string End = Completed(WholeMessage(0, "output_text", "Hello"));

    [Fact]
    public void EndMarkerWithoutAnEnd_DeliversNothingThatWaited()
    {
        var outcome = Stream.Run(Numbered([.. Hello, Done]));

        Assert.Equal((GuardState.Faulted, FaultKind.EndedWithoutTerminal), (outcome.State, outcome.Fault));
        Assert.Equal(Encoding.UTF8.GetString(Numbered(Hello[..5])), outcome.Text);
        var (verdict, rest) = Stream.Continue(outcome.Reader, Encoding.UTF8.GetString(Whole(Id, "completed", WholeMessage(0, "output_text", "Hello"))));
        Assert.Equal(AnswerVerdict.Usable, verdict);
        Assert.StartsWith("event: response.output_text.done\ndata: {\"type\":\"response.output_text.done\",\"sequence_number\":5,", rest, StringComparison.Ordinal);
        Assert.Equal(GuardState.Done, Stream.Run(outcome.Text + rest).State);
    }

    [Fact]
    public void OnlyTheMarkerCounts_TheEndWaitsForIt()
    {
        var whole = Numbered([.. Hello, End, Done]);
        var cut = Stream.Run(whole.AsSpan(0, whole.Length - Done.Length), terminal: TerminalProfile.Done);

        Assert.Equal(GuardState.Faulted, cut.State);
        Assert.DoesNotContain("response.completed", cut.Text, StringComparison.Ordinal);
        Assert.False(cut.Reader.IsFinished);
        Assert.True(cut.Reader.CanSplice);
        var all = Stream.Run(whole, terminal: TerminalProfile.Done);
        Assert.Equal((GuardState.Done, Encoding.UTF8.GetString(whole)), (all.State, all.Text));
    }

    [Theory]
    [InlineData("{\"a\":1}", "{\"a\":12}")]
    [InlineData("2}", "{\"a\":12}")]
    public void PiecesOfACallMakeOtherArgumentsThanItsEnd_IsABrokenCall(string delivered, string atItsEnd)
    {
        string[] call = [Created(), .. Call(0, "get", delivered), Completed(WholeCall(0, "get", atItsEnd))];
        for (var end = 3; end <= 4; end++)
        {
            // Some servers send the item's end alone.
            string[] events = [.. call[..3], end == 3 ? Call(0, "get", atItsEnd).ElementAt(2) : ItemDone(0, WholeCall(0, "get", atItsEnd)), call[^1]];
            var outcome = Stream.Run(Numbered(events));
            Assert.Equal((GuardState.Faulted, FaultKind.BrokenToolCall), (outcome.State, outcome.Fault));
            Assert.Equal(Encoding.UTF8.GetString(Numbered(call[..3])), outcome.Text);
        }
    }

    [Fact]
    public void ArgumentsWrittenAnewAtTheCallsEnd_AreTheSameCall()
    {
        string[] events = [Created(), Call(0, "get", "{\"a\": 1}").First(), Delta("function_call_arguments", 0, "fc_0_run1", "{\"a\": 1}", ""), .. Call(0, "get", "{\"a\":1}").Skip(2), Completed(WholeCall(0, "get", "{\"a\":1}"))];
        Assert.Equal(GuardState.Done, Stream.Run(Numbered(events)).State);
    }
}
