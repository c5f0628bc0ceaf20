using System.Diagnostics;
using Xunit;

namespace ProxyGateway.IntegrationTests.Hostile;

/// <summary>A pipe in the place of the gateway's standard output that takes 64 KB and no more, because nobody reads it.</summary>
internal sealed class UnreadLog : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("gateway-log-").FullName;

    /// <summary>What the shell that starts the gateway does before it. Opened in both directions, or it would wait for a reader.</summary>
    public string Redirection => $"mkfifo '{Pipe}' && exec 1<>'{Pipe}'";

    public string Folder => _folder;

    private string Pipe => Path.Combine(_folder, "log");

    /// <summary>Reads it after all. The gateway's logger says with its next line how many it dropped; <paramref name="provoke"/> makes it write one.</summary>
    public async Task DrainAsync(Func<Task> provoke, Func<bool> done)
    {
        using var reading = Process.Start(new ProcessStartInfo("/bin/sh", ["-c", $"exec cat '{Pipe}' > /dev/null"]))!;
        try
        {
            for (var since = Stopwatch.StartNew(); !done(); await Task.Delay(50, TestContext.Current.CancellationToken))
            {
                await provoke();
                Assert.True(since.Elapsed < TimeSpan.FromSeconds(30), "The logger did not say how many lines it dropped.");
            }
        }
        finally
        {
            reading.Kill();
            await reading.WaitForExitAsync(TestContext.Current.CancellationToken);
        }
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
