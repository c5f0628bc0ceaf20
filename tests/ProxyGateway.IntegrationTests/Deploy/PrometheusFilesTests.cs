using System.ComponentModel;
using System.Diagnostics;
using ProxyGateway.TestKit.Data;
using Xunit;

namespace ProxyGateway.IntegrationTests.Deploy;

/// <summary>The files of deploy/prometheus, judged by Prometheus' own tool.</summary>
public sealed class PrometheusFilesTests
{
    [Theory]
    [InlineData("check config prometheus.yml")]
    [InlineData("check rules rules.yml alerts.yml")]
    [InlineData("test rules alerts.test.yml")]
    public async Task Promtool_IsContent(string arguments)
    {
        Process process;
        try
        {
            process = Process.Start(new ProcessStartInfo("promtool", arguments)
            {
                WorkingDirectory = Path.Combine(SharedData.RepositoryRoot(AppContext.BaseDirectory)!, "deploy", "prometheus"),
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            })!;
        }
        catch (Win32Exception)
        {
            Assert.SkipUnless(Environment.GetEnvironmentVariable("CI") == "true", "promtool is not installed");
            throw;
        }

        using (process)
        {
            var output = process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
            var errors = await process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
            await process.WaitForExitAsync(TestContext.Current.CancellationToken);
            Assert.True(process.ExitCode == 0, await output + errors);
        }
    }
}
