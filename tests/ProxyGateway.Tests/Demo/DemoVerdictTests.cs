using System.Text;
using ProxyGateway.Demo;
using Xunit;

namespace ProxyGateway.Tests.Demo;

public sealed class DemoVerdictTests
{
    private const string Role = """data: {"id":"c1","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}""" + "\n\n";
    private const string Half = """data: {"id":"c1","choices":[{"index":0,"delta":{"content":"one two"},"finish_reason":null}]}""" + "\n\n";
    private const string Rest = """data: {"id":"c1","choices":[{"index":0,"delta":{"content":" three"},"finish_reason":null}]}""" + "\n\n";
    private const string Finish = """data: {"id":"c1","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}""" + "\n\n";
    private const string Done = "data: [DONE]\n\n";
    private const string Error = """data: {"error":{"message":"m","type":"server_error","param":null,"code":"upstream_truncated"},"choices":null}""" + "\n\n";

    [Theory]
    [InlineData(Role + Half + Rest + Finish + Done)]
    [InlineData(Role + Half + ": keepalive\n" + Rest + Finish + Done)]
    public void WholeTextAndEnding_Complete(string body) => Assert.Equal(DemoEnding.Complete, Judge(body, terminated: true).Ending);

    [Theory]
    [InlineData(Role + Half + Error)]
    [InlineData(Role + Half + Rest + Error)]
    public void PrefixErrorEventAndNoTerminator_Terminated(string body) => Assert.Equal(DemoEnding.Terminated, Judge(body, terminated: false).Ending);

    [Theory]
    [InlineData(Role + Half, "text is not whole")]
    [InlineData(Role + Half + Finish + Done, "text is not whole")]
    [InlineData(Role + Half + Rest + Finish, "0 [DONE]")]
    [InlineData(Role + Half + Rest + Done, "0 finish reasons")]
    [InlineData(Role + Half + Half + Rest + Finish + Done, "text differs")]
    [InlineData(Role + Half + Role + Rest + Finish + Done, "2 roles")]
    [InlineData(Half + Rest + Finish + Done, "0 roles")]
    [InlineData(Role + Half + Rest + Finish + Done + Done, "2 [DONE]")]
    [InlineData(Role + Half + "data: {\"id\":\n\n" + Rest + Finish + Done, "1 broken events")]
    [InlineData(Role + Half + Rest + Finish + Done + "data: {", "1 broken events")]
    [InlineData(Role + Half + Error, "clean end after an error event")]
    [InlineData("", "text is not whole")]
    public void CleanEndButNotWhole_Broken(string body, string flaw)
    {
        var verdict = Judge(body, terminated: true);

        Assert.Equal(DemoEnding.Broken, verdict.Ending);
        Assert.Contains(flaw, verdict.Flaws);
    }

    [Theory]
    [InlineData(Role + Half, "connection died")]
    [InlineData(Role + Half + Rest + Finish + Done, "connection died")]
    [InlineData(Role + Half + Error + Done, "looks finished after an error event")]
    [InlineData(Role + Rest + Error, "text differs")]
    [InlineData(Role + Half + "data: {" + "\n\n" + Error, "1 broken events")]
    public void NoTerminatorAndNotHonest_Broken(string body, string flaw)
    {
        var verdict = Judge(body, terminated: false);

        Assert.Equal(DemoEnding.Broken, verdict.Ending);
        Assert.Contains(flaw, verdict.Flaws);
    }

    [Fact]
    public void SecondId_Broken()
    {
        var verdict = Judge(Role + Half + Rest.Replace("c1", "c2", StringComparison.Ordinal) + Finish + Done, terminated: true);

        Assert.Contains("2 ids", verdict.Flaws);
    }

    [Fact]
    public void HttpErrorAndNoAnswer_AreNeitherCompleteNorTerminated()
    {
        Assert.Equal(DemoEnding.HttpError, DemoVerdict.Judge(new ClientAnswer { Status = 502 }, "", "").Ending);
        Assert.Equal(DemoEnding.Broken, DemoVerdict.Judge(new ClientAnswer(), "", "").Ending);
    }

    [Fact]
    public void CompleteWithoutAnAgentsFailure_DoesNotKeepAPromiseAboutFailure()
    {
        var verdict = Judge(Role + Half + Rest + Finish + Done, terminated: true);

        Assert.True(verdict.Keeps(new DemoCase("m", "c", DemoPromise.Complete, MustFail: false), []));
        Assert.False(verdict.Keeps(new DemoCase("m", "c", DemoPromise.Complete), []));
        Assert.False(verdict.Keeps(new DemoCase("m", "c", DemoPromise.Terminated, MustFail: false), []));
    }

    private static DemoVerdict Judge(string body, bool terminated) => DemoVerdict.Judge(
        ClientAnswerReader.Read(Encoding.UTF8.GetBytes(body)) with { Status = 200, BodyTerminated = terminated }, "one two three", "");
}
