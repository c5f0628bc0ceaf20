using ProxyGateway.TestKit.Chats;
using ProxyGateway.TestKit.Contract;
using Xunit;

namespace ProxyGateway.Tests.TestKit;

public sealed class StreamContractTests
{
    public static TheoryData<string> GoodNames => [.. GoodTranscripts.All().Select(c => c.Name)];

    public static TheoryData<string> BadNames => [.. BadTranscripts.All().Select(c => c.ToString())];

    [Theory]
    [MemberData(nameof(GoodNames))]
    public void GoodTranscript_HasNoViolation(string name)
    {
        var transcript = GoodTranscripts.All().Single(c => c.Name == name).Transcript;
        Assert.Empty(StreamContract.Check(transcript));
    }

    [Theory]
    [MemberData(nameof(BadNames))]
    public void BadTranscript_IsReportedUnderItsRuleAndNoOther(string name)
    {
        var bad = BadTranscripts.All().Single(c => c.ToString() == name);
        var violations = StreamContract.Check(bad.Transcript);
        Assert.NotEmpty(violations);
        Assert.All(violations, v => Assert.True(v.Rule == bad.Rule, v.ToString()));
    }

    [Fact]
    public void Transcripts_CoverEveryRuleThatATranscriptCanShow()
    {
        // 12 as far as lost promptness shows without times.
        Assert.Equal(Enumerable.Range(1, 15), BadTranscripts.All().Select(c => c.Rule).Distinct().Order());
        Assert.True(BadTranscripts.All().Count() >= 40);
    }

    [Theory]
    [InlineData("")]
    [InlineData("data:\n\n")]
    public void EmptyFrameBehindTheStopReason_MayPassOrNot(string passed)
    {
        var attempt = Make.Streamed(AttemptEnding.Clean, Make.A.Role(), Make.A.Text("Hi"), Make.A.Finish(), "data:\n\n");
        Assert.Empty(StreamContract.Check(Make.Of(Make.Got(Make.A.Role(), Make.A.Text("Hi"), Make.A.Finish(), passed, Chat.Done), attempt)));
    }

    [Fact]
    public void UnknownFormat_IsRefused() =>
        Assert.Throws<ArgumentException>(() => StreamContract.Check(new Transcript { Format = "morse" }));
}
