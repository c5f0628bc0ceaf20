using Xunit;

namespace ProxyGateway.IntegrationTests.Clients.Judging;

/// <summary>Clients that come from npm. Where they are missing, a test is skipped visibly, and fails in CI.</summary>
internal static class Installed
{
    public static void Require(string path, string command)
    {
        if (Path.Exists(path))
        {
            return;
        }

        Assert.SkipUnless(Environment.GetEnvironmentVariable("CI") == "true", $"the clients are not installed: {command}");
        Assert.Fail($"the clients are not installed: {command}");
    }
}
