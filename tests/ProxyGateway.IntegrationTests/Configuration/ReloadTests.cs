using System.Runtime.InteropServices;
using System.Text;
using ProxyGateway.Configuration.Merging;
using Xunit;

namespace ProxyGateway.IntegrationTests.Configuration;

/// <summary>What disks do to configuration files, on a real disk.</summary>
public sealed class ReloadTests
{
    [Fact]
    public void ValidEdit_IsAppliedAtTheNextLook()
    {
        using var bench = new ReloadBench();
        File.WriteAllText(bench.File, ReloadBench.Text(4000, """ "spare": { "Destinations": { "a": { "Address": "http://127.0.0.1:5000" } } }, """));

        bench.Reloader.Poll();

        Assert.Equal("http://127.0.0.1:4000", bench.Address);
        Assert.Equal(2, bench.Reloader.State.Version);
        Assert.Contains("configuration reloaded: +1 cluster ~1 cluster (version 2)", bench.Log.Lines);
    }

    [Fact]
    public void SyntaxError_KeepsTheLastGoodConfiguration()
    {
        using var bench = new ReloadBench();
        File.WriteAllText(bench.File, ReloadBench.Text(4000).Replace("\"agent\",", "\"agent\"", StringComparison.Ordinal));

        bench.Look();

        AssertKept(bench);
        Assert.StartsWith($"configuration rejected, kept version 1: {bench.File}:6:9: error: (file): not valid JSON", bench.Log.Lines[^1], StringComparison.Ordinal);
    }

    [Fact]
    public void InvalidSetting_KeepsTheLastGoodConfigurationAndSaysWhy()
    {
        using var bench = new ReloadBench();
        File.WriteAllText(bench.File, ReloadBench.Text(4000).Replace("\"ClusterId\": \"agent\"", "\"ClusterId\": \"agnet\"", StringComparison.Ordinal));

        bench.Look();

        AssertKept(bench);
        Assert.Contains("no such cluster (\"agnet\"); did you mean agent?", bench.Reloader.State.LastResult.Summary, StringComparison.Ordinal);
    }

    [Fact]
    public void RejectedFile_IsReportedOnceHoweverOftenItIsSeen()
    {
        using var bench = new ReloadBench();
        File.WriteAllText(bench.File, "{");

        for (var i = 0; i < 10; i++)
        {
            bench.Reloader.Poll();
        }

        Assert.Single(bench.Log.Lines, l => l.StartsWith("configuration rejected", StringComparison.Ordinal));
    }

    [Fact]
    public void HalfWrittenFile_IsWaitedFor()
    {
        using var bench = new ReloadBench();
        var text = ReloadBench.Text(4000);
        using (var writer = new StreamWriter(bench.File))
        {
            writer.Write(text[..100]);
            writer.Flush();
            bench.Reloader.Poll();
            writer.Write(text[100..]);
        }

        bench.Reloader.Poll();

        Assert.Equal("http://127.0.0.1:4000", bench.Address);
        Assert.DoesNotContain(bench.Log.Lines, l => l.StartsWith("configuration rejected", StringComparison.Ordinal));
    }

    [Fact]
    public void FileTruncatedToNothing_KeepsTheLastGoodConfiguration()
    {
        using var bench = new ReloadBench();
        File.WriteAllText(bench.File, "");

        bench.Look();

        AssertKept(bench);
    }

    [Fact]
    public void FileMissingForAMoment_IsNotEvenReported()
    {
        using var bench = new ReloadBench();
        var text = File.ReadAllText(bench.File);
        File.Delete(bench.File);
        bench.Reloader.Poll();
        File.WriteAllText(bench.File, text);

        bench.Look();

        Assert.Equal("http://127.0.0.1:3456", bench.Address);
        Assert.True(bench.Reloader.State.LastReloadSuccessful);
        Assert.Empty(bench.Log.Lines);
    }

    [Fact]
    public void FileGone_IsReportedAndItsReturnIsSeen()
    {
        using var bench = new ReloadBench();
        var text = File.ReadAllText(bench.File);
        File.Delete(bench.File);
        bench.Look();
        AssertKept(bench);
        Assert.Contains("does not exist", bench.Log.Lines[^1], StringComparison.Ordinal);

        File.WriteAllText(bench.File, text);
        bench.Reloader.Poll();

        Assert.True(bench.Reloader.State.LastReloadSuccessful);
        Assert.Equal("configuration unchanged (version 1)", bench.Log.Lines[^1]);
    }

    [Fact]
    public void EditorsRename_IsAnEdit()
    {
        using var bench = new ReloadBench();
        File.Move(bench.File, bench.File + "~");
        File.WriteAllText(bench.File + ".new", ReloadBench.Text(4000));
        File.Move(bench.File + ".new", bench.File);

        bench.Reloader.Poll();

        Assert.Equal("http://127.0.0.1:4000", bench.Address);
    }

    [Fact]
    public void ConfigMapsSymlinkSwap_IsAnEdit()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "There is no kubelet.");
        using var bench = new ReloadBench();
        var first = Directory.CreateDirectory(Path.Combine(bench.Directory, "..2026_01"));
        var second = Directory.CreateDirectory(Path.Combine(bench.Directory, "..2026_02"));
        File.WriteAllText(Path.Combine(first.FullName, "appsettings.json"), ReloadBench.Text(4001));
        File.WriteAllText(Path.Combine(second.FullName, "appsettings.json"), ReloadBench.Text(4002));
        var data = Path.Combine(bench.Directory, "..data");
        Directory.CreateSymbolicLink(data, first.Name);
        File.Delete(bench.File);
        File.CreateSymbolicLink(bench.File, "..data/appsettings.json");
        bench.Reloader.Poll();
        Assert.Equal("http://127.0.0.1:4001", bench.Address);

        Directory.CreateSymbolicLink(data + "_tmp", second.Name);
        Assert.Equal(0, Rename(data + "_tmp", data));
        bench.Reloader.Poll();

        Assert.Equal("http://127.0.0.1:4002", bench.Address);
    }

    [Fact]
    public void DanglingLink_KeepsTheLastGoodConfiguration()
    {
        using var bench = new ReloadBench();
        File.Delete(bench.File);
        File.CreateSymbolicLink(bench.File, "nowhere.json");

        bench.Look();

        AssertKept(bench);
        Assert.Contains("is a link to a file that does not exist", bench.Log.Lines[^1], StringComparison.Ordinal);
    }

    [Fact]
    public void PermissionDenied_KeepsTheLastGoodConfiguration()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows() || Environment.IsPrivilegedProcess, "This user may read every file.");
        using var bench = new ReloadBench();
        File.WriteAllText(bench.File, ReloadBench.Text(4000));
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(bench.File, UnixFileMode.None);
        }

        bench.Look();

        AssertKept(bench);
        Assert.Contains("may not be read by this user", bench.Log.Lines[^1], StringComparison.Ordinal);
    }

    [Fact]
    public void DirectoryInPlaceOfTheFile_KeepsTheLastGoodConfiguration()
    {
        using var bench = new ReloadBench();
        File.Delete(bench.File);
        Directory.CreateDirectory(bench.File);

        bench.Look();

        AssertKept(bench);
        Assert.Contains("is a directory", bench.Log.Lines[^1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task PipeInPlaceOfTheFile_IsNotWaitedFor()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "There are no pipes among files.");
        using var bench = new ReloadBench();
        File.Delete(bench.File);
        MakePipe(bench.File);

        await Task.Run(bench.Look, TestContext.Current.CancellationToken).WaitAsync(TimeSpan.FromSeconds(10), TestContext.Current.CancellationToken);

        AssertKept(bench);
        Assert.Contains("the file is empty", bench.Log.Lines[^1], StringComparison.Ordinal);
        File.Delete(bench.File);
        File.WriteAllText(bench.File, ReloadBench.Text(4000));
        bench.Look();
        Assert.Equal("http://127.0.0.1:4000", bench.Address);
    }

    [Fact]
    public async Task FirstLook_ReadsAPipeToItsEnd()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "There are no pipes among files.");
        var cancellation = TestContext.Current.CancellationToken;
        var pipe = Path.Combine(Directory.CreateTempSubdirectory("gateway-pipe-").FullName, "pipe");
        MakePipe(pipe);
        var text = ReloadBench.Text(4000) + new string(' ', 300_000);
        var writing = Task.Run(() => File.WriteAllText(pipe, text), cancellation);
        var reader = new ConfigurationReader(new ConfigurationInputs { File = pipe });

        var raw = await Task.Run(reader.Read, cancellation).WaitAsync(TimeSpan.FromSeconds(10), cancellation);

        await writing;
        Assert.Equal(text, Encoding.UTF8.GetString(raw.Text!));
        Directory.Delete(Path.GetDirectoryName(pipe)!, recursive: true);
    }

    [Theory]
    [InlineData(16 * 1024 * 1024, null)]
    [InlineData(16 * 1024 * 1024 + 1, "is larger than 16777216 bytes")]
    public void LargestFile_IsReadAndNoneLarger(int length, string? failure)
    {
        using var bench = new ReloadBench();
        File.WriteAllText(bench.File, new string(' ', length));

        var raw = new ConfigurationReader(bench.Inputs).Read();

        Assert.Equal(failure, raw.Failure);
        Assert.Equal(failure is null ? length : null, raw.Text?.Length);
    }

    [Fact]
    public void ChangedSecret_IsAnEdit()
    {
        var secrets = Directory.CreateTempSubdirectory("gateway-secrets-");
        try
        {
            using var bench = new ReloadBench(secrets: secrets.FullName);
            File.WriteAllText(Path.Combine(secrets.FullName, "ReverseProxy__Clusters__agent__Destinations__a__Address"), "http://127.0.0.1:4000\n");

            bench.Reloader.Poll();

            Assert.Equal("http://127.0.0.1:4000", bench.Address);
        }
        finally
        {
            secrets.Delete(recursive: true);
        }
    }

    [Fact]
    public void SecretsDirectoryGone_KeepsTheLastGoodConfiguration()
    {
        using var bench = new ReloadBench();
        Directory.Delete(Path.Combine(bench.Directory, "no-secrets"));

        bench.Look();

        AssertKept(bench);
    }

    [Fact]
    public void DryRun_SaysWhatWouldChangeAndChangesNothing()
    {
        using var bench = new ReloadBench();
        File.WriteAllText(bench.File, ReloadBench.Text(4000));

        var result = bench.Reloader.Reload(dryRun: true);

        Assert.True(result.Success);
        Assert.Equal("~1 cluster", result.Summary);
        Assert.Equal(1, bench.Reloader.State.Version);
        Assert.Equal("http://127.0.0.1:3456", bench.Address);
    }

    [Fact]
    public void ReloadAtOnce_DoesNotWaitForASecondLook()
    {
        using var bench = new ReloadBench();
        File.WriteAllText(bench.File, "{");

        var result = bench.Reloader.Reload(dryRun: false);

        Assert.False(result.Success);
        AssertKept(bench);
    }

    [Fact]
    public void ReaderThatThrows_DoesNotStopLaterReloads()
    {
        using var bench = new ReloadBench();
        using var broken = Microsoft.Extensions.Primitives.ChangeToken.OnChange(
            bench.Configuration.GetReloadToken,
            static () => throw new InvalidOperationException("a reader's own fault"));
        for (var port = 4000; port < 4003; port++)
        {
            File.WriteAllText(bench.File, ReloadBench.Text(port));
            bench.Reloader.Poll();
            Assert.Equal($"http://127.0.0.1:{port}", bench.Address);
        }

        Assert.Equal(4, bench.Reloader.State.Version);
    }

    /// <summary>As the kubelet does it: .NET's own moves follow a link to a directory, or refuse it.</summary>
    private static void MakePipe(string path) => Assert.Equal(0, MakeFifo(path, 0x180));

    [DllImport("libc", EntryPoint = "mkfifo")]
    private static extern int MakeFifo([MarshalAs(UnmanagedType.LPUTF8Str)] string path, uint mode);

    [DllImport("libc", EntryPoint = "rename")]
    private static extern int Rename([MarshalAs(UnmanagedType.LPUTF8Str)] string from, [MarshalAs(UnmanagedType.LPUTF8Str)] string to);

    private static void AssertKept(ReloadBench bench)
    {
        Assert.Equal("http://127.0.0.1:3456", bench.Address);
        Assert.Equal(1, bench.Reloader.State.Version);
        Assert.False(bench.Reloader.State.LastReloadSuccessful);
        Assert.StartsWith("configuration rejected, kept version 1: ", bench.Log.Lines[^1], StringComparison.Ordinal);
    }
}
