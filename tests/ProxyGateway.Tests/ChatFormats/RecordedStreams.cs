using Xunit;

namespace ProxyGateway.Tests.ChatFormats;

/// <summary>Recorded streams of real servers. They are not part of the repository; tests that need them say so and skip.</summary>
internal static class RecordedStreams
{
    /// <summary>The text of a recording; skips the test where the recordings are missing, and fails it on a build server.</summary>
    public static string Read(string relativePath)
    {
        var folder = Environment.GetEnvironmentVariable("PROXYGATEWAY_SHARED_DATA") ?? FindBesideRepository();
        var file = folder is null ? null : Path.Combine(folder, "llm-sse", relativePath);
        if (file is null || !File.Exists(file))
        {
            Assert.False(Environment.GetEnvironmentVariable("CI") == "true", $"The recorded stream {relativePath} is missing.");
            Assert.Skip($"The recorded stream {relativePath} is missing; set PROXYGATEWAY_SHARED_DATA.");
        }

        return File.ReadAllText(file!);
    }

    /// <summary>A recording that holds one event's JSON per line, framed as a stream.</summary>
    public static string ReadLinesAsEvents(string relativePath, string lineEnd = "\n") =>
        string.Concat(Read(relativePath).Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(l => $"data: {l.TrimEnd('\r')}{lineEnd}{lineEnd}"));

    private static string? FindBesideRepository()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "ProxyGateway.sln")))
            {
                return new[] { Path.Combine(folder.Parent!.FullName, "shared", "data") }.FirstOrDefault(Directory.Exists);
            }
        }

        return null;
    }
}
