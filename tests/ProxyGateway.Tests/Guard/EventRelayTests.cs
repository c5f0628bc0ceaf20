using System.Buffers;
using System.Text;
using ProxyGateway.StreamingFallback.Guard;
using ProxyGateway.StreamingFallback.Telemetry;
using Xunit;

namespace ProxyGateway.Tests.Guard;

public sealed class EventRelayTests
{
    private const string Stable = "event: status_change\ndata: {\"status\":\"stable\"}\n\n";
    private const string Running = "event: status_change\ndata: {\"status\":\"running\"}\n\n";

    private readonly ArrayBufferWriter<byte> _output = new();

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(10_000)]
    public void FirstConnection_IsPassedOnByteByByteWhateverThePieces(int size)
    {
        var stream = "\uFEFF: hello\r\n\r\nretry: 100\n\nid: 4\revent: message_update\rdata: {\"id\":0,\rdata: \"message\":\"ö\"}\r\r" + Message(0, "twice") + Message(0, "twice") + Stable + Stable + "event: other\ndata: no JSON\n\n";
        using var relay = new EventRelay(1 << 20);

        Assert.Equal(stream, Push(relay, stream, size));

        Assert.Equal(("4", TimeSpan.FromMilliseconds(100)), (relay.LastEventId, relay.Retry));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(1000)]
    public void EventThatIsNotSentAgain_TakesItsWholeLineEndWithIt(int size)
    {
        var again = Message(0, "a")[..^1] + "\r\n";
        using var relay = new EventRelay(1 << 20);
        Push(relay, Message(0, "a"));
        relay.Reconnect();

        Assert.Equal(Message(1, "b"), Push(relay, again + Message(1, "b"), size));
    }

    [Fact]
    public void NameOfHalfASurrogatePair_IsNotOursToJudge()
    {
        const string Odd = "event: message_update\ndata: {\"\\ud800\":1,\"id\":0}\n\n";
        using var relay = new EventRelay(1 << 20);

        Assert.Equal(Odd + Stable, Push(relay, Odd + Stable));
    }

    [Fact]
    public void HalfAnEvent_IsHeldAndDroppedAtTheCut()
    {
        using var relay = new EventRelay(1 << 20);

        Assert.Equal(Message(0, "a"), Push(relay, Message(0, "a") + Message(1, "b")[..20]));
        relay.Reconnect();

        Assert.Equal(Message(1, "b, whole") + Stable, Push(relay, Message(0, "a") + Message(1, "b, whole") + Stable));
    }

    [Fact]
    public void EveryCutOfAStream_WithTheStateToldAnewEndsInTheSameState()
    {
        var stream = Message(0, "question") + Stable + Running + Message(1, "an") + Error(1) + Message(1, "answer") + Stable;
        var state = Message(0, "question") + Message(1, "answer") + Stable + Error(1);
        for (var at = 0; at <= stream.Length; at++)
        {
            using var relay = new EventRelay(1 << 20);
            var delivered = Push(relay, stream[..at]);
            relay.Reconnect();
            delivered += Push(relay, state);

            Assert.Equal(FaultKind.None, relay.Fault);
            Assert.Equal(1, Count(delivered, Error(1)));
            Assert.Equal(1, Count(delivered, Message(0, "question")));
            Assert.Equal(1, Count(delivered, Message(1, "answer")));
            Assert.True(delivered.LastIndexOf(Stable, StringComparison.Ordinal) > delivered.LastIndexOf(Running, StringComparison.Ordinal), $"cut at {at}");
        }
    }

    [Fact]
    public void StateToldAnew_OnlyNewsIsPassedOn()
    {
        using var relay = new EventRelay(1 << 20);
        Push(relay, Message(0, "a") + Message(1, "b") + Stable + Error(1));
        relay.Reconnect();

        Assert.Equal(
            Message(1, "b, changed") + Message(2, "c") + Running + Error(2),
            Push(relay, Message(0, "a") + Message(1, "b, changed") + Message(2, "c") + Running + Error(1) + Error(2)));
    }

    [Fact]
    public void AnotherConversation_IsNoneTheClientCouldGoOnWith()
    {
        using var relay = new EventRelay(1 << 20);
        Push(relay, Message(0, "a") + Message(1, "b") + Stable);
        relay.Reconnect();

        Assert.Equal(Message(0, "something else"), Push(relay, Message(0, "something else") + Stable));
        Assert.Equal(FaultKind.Divergence, relay.Fault);
    }

    [Fact]
    public void CutWhileTheStateIsTold_NextConnectionTellsItWhole()
    {
        using var relay = new EventRelay(1 << 20);
        Push(relay, Message(0, "a") + Message(1, "b") + Stable);
        relay.Reconnect();
        Push(relay, Message(0, "a"));
        relay.Reconnect();

        Assert.Equal(Running, Push(relay, Message(0, "a") + Message(1, "b") + Running));
        Assert.Equal(FaultKind.None, relay.Fault);
    }

    [Fact]
    public void Screens_OnlyChangedOnesAreToldAgain()
    {
        using var relay = new EventRelay(1 << 20);
        Assert.Equal(Screen("$") + Screen("$ ls"), Push(relay, Screen("$") + Screen("$ ls")));
        relay.Reconnect();

        Assert.Equal(Screen("$"), Push(relay, Screen("$ ls") + Screen("$")));
    }

    [Fact]
    public void EventsWithoutANumberOrOfOtherTypes_AreAlwaysPassedOn()
    {
        const string Odd = "event: message_update\ndata: {\"id\":\"zero\"}\n\nevent: message_update\ndata: [\n\nevent: message_update\ndata: {}\n\ndata: 1\n\nevent: new_kind\ndata: 2\n\nevent: status_change\n\n: comment\n\n";
        using var relay = new EventRelay(1 << 20);
        Assert.Equal(Odd, Push(relay, Odd));
        relay.Reconnect();

        Assert.Equal(Odd, Push(relay, Odd));
    }

    [Fact]
    public void ByteOrderMarkOfALaterConnection_IsDropped()
    {
        using var relay = new EventRelay(1 << 20);
        Push(relay, Stable);
        relay.Reconnect();

        Assert.Equal(Running, Push(relay, "\uFEFF" + Running));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(500)]
    public void EventBeyondTheLimit_IsAFault(int size)
    {
        using var relay = new EventRelay(200);

        Assert.Equal(Stable, Push(relay, Stable + Message(0, new string('x', 300)) + Stable, size));
        Assert.Equal(FaultKind.EventTooLarge, relay.Fault);
    }

    [Fact]
    public void ThousandsOfErrorsAndMessages_AreForgottenWithoutHarm()
    {
        using var relay = new EventRelay(1 << 20);
        for (var i = 0; i < 10_000; i++)
        {
            Push(relay, Message(i, "m") + Error(i));
        }

        relay.Reconnect();

        Assert.Equal("", Push(relay, Message(5, "m") + Error(9_999)));
        Assert.Equal(Message(9_999, "m") + Error(0), Push(relay, Message(9_999, "m") + Error(0)));
    }

    [Theory]
    [InlineData("id: a\u0001b\n\n", null)]
    [InlineData("id: ä\n\n", null)]
    [InlineData("id\n\n", "")]
    [InlineData("id: 1\nid: 2\n\n", "2")]
    [InlineData("identity: 1\n\n", null)]
    public void Id_IsKeptWhereAHeaderCanCarryIt(string text, string? id)
    {
        using var relay = new EventRelay(1 << 20);
        Push(relay, text);

        Assert.Equal(id, relay.LastEventId);
    }

    [Theory]
    [InlineData("retry: 250\n\n", 250.0)]
    [InlineData("retry: 99999999999\n\n", null)]
    [InlineData("retry: 4000000000\n\n", 3_600_000.0)]
    [InlineData("retry: -1\n\n", null)]
    [InlineData("retry: 2s\n\n", null)]
    public void Retry_IsDigitsAndBounded(string text, double? milliseconds)
    {
        using var relay = new EventRelay(1 << 20);
        Push(relay, text);

        Assert.Equal(milliseconds, relay.Retry?.TotalMilliseconds);
    }

    private string Push(EventRelay relay, string text, int size = int.MaxValue)
    {
        _output.ResetWrittenCount();
        foreach (var piece in Encoding.UTF8.GetBytes(text).Chunk(Math.Min(size, 1 << 20)))
        {
            relay.Push(piece, _output);
        }

        return Encoding.UTF8.GetString(_output.WrittenSpan);
    }

    private static string Message(int id, string text) => $"event: message_update\ndata: {{\"role\":\"agent\",\"id\":{id},\"message\":\"{text}\"}}\n\n";

    private static string Error(int number) => $"event: agent_error\ndata: {{\"message\":\"error {number}\",\"level\":\"error\"}}\n\n";

    private static string Screen(string text) => $"event: screen\ndata: {{\"screen\":\"{text}\"}}\n\n";

    private static int Count(string text, string part) => text.Split(part).Length - 1;
}
