using ProxyGateway.TestKit.Contract;
using ProxyGateway.TestKit.Data;
using Xunit;

namespace ProxyGateway.Tests.TestKit;

public sealed class SharedDataTests
{
    [Fact]
    public void NoFolder_GivesNullOutsideCi() => Assert.Null(SharedData.Require(found: null, ci: null));

    [Fact]
    public void NoFolder_ThrowsInCi() => Assert.Throws<DirectoryNotFoundException>(() => SharedData.Require(found: null, ci: "true"));

    [Fact]
    public void VariableThatNamesNoFolder_FallsBackToNothing() =>
        Assert.Null(SharedData.Find(Path.Combine(AppContext.BaseDirectory, "no-such-folder"), AppContext.BaseDirectory));

    [Fact]
    public void VariableThatNamesAFolder_Wins() => Assert.Equal(AppContext.BaseDirectory, SharedData.Find(AppContext.BaseDirectory, "/"));

    [Fact]
    public void RepositoryRoot_IsTheFolderOfTheSolution() =>
        Assert.True(File.Exists(Path.Combine(SharedData.RepositoryRoot(AppContext.BaseDirectory)!, "ProxyGateway.sln")));

    [Fact]
    public void RecordedStreams_LoadFromEverySource()
    {
        var streams = RecordedStreams.Load(Folder());
        Assert.All(streams, s => Assert.NotEmpty(s.Bytes));
        Assert.Equal(streams.Count, streams.Select(s => s.Name).Distinct().Count());
        var bySource = streams.GroupBy(s => s.Name.Split('/')[0]).ToDictionary(g => g.Key, g => g.Count());
        Assert.Equal(66, bySource["vercel-ai"]);
        Assert.Equal(24, bySource["apisix"]);
        Assert.Equal(6, bySource["anthropic-sdk-typescript"]);
        Assert.Equal(12, bySource["agentgateway"]);
        Assert.Equal(5, bySource["envoy-ai-gateway"]);
        Assert.Equal(14, bySource["openai-dotnet"]);
        Assert.True(streams.Count(s => s.Format == "openai-chat") >= 25);
        Assert.True(streams.Count(s => s.Format == "anthropic-messages") >= 20);
        Assert.True(streams.Count(s => s.Format == "openai-responses") >= 25);
    }

    [Fact]
    public void RecordedStreams_AreMadeOfWholeEvents()
    {
        foreach (var stream in RecordedStreams.Load(Folder()).Where(s => s.Format is not null))
        {
            Assert.True(SseBlock.ReadAll(stream.Bytes, out _).Count(b => b.HasData) >= 1, stream.Name);
        }
    }

    [Fact]
    public void ConformanceCases_Load()
    {
        var cases = SseCases.Load(Folder());
        Assert.Equal(16 + 15, cases.Count);
        Assert.All(cases, c => Assert.NotEmpty(c.Whole));
    }

    [Fact]
    public void JsonCases_Load()
    {
        var cases = JsonCases.Load(Folder());
        Assert.True(cases.Count > 317);
        Assert.True(cases.Count(c => c.Verdict == JsonVerdict.MustParse) > 90);
        Assert.True(cases.Count(c => c.Verdict == JsonVerdict.MustFail) > 180);
    }

    private static string Folder()
    {
        var folder = SharedData.Require();
        Assert.SkipWhen(folder is null, SharedData.Missing);
        return folder;
    }
}
