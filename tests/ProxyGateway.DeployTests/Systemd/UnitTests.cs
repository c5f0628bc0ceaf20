using System.Globalization;
using System.Text.RegularExpressions;
using Xunit;

namespace ProxyGateway.DeployTests.Systemd;

/// <summary>The unit, judged by systemd's own tool.</summary>
public sealed partial class UnitTests
{
    private static readonly string s_unit = Repository.Text("deploy", "systemd", "proxygateway.service");

    [Fact]
    public async Task Verify_IsContent()
    {
        using var unit = new InstalledUnit();

        var (exitCode, output, errors) = await Tool.TryRunAsync("systemd-analyze", "verify", unit.File);

        Assert.True(exitCode == 0 && (output + errors).Trim().Length == 0, output + errors);
    }

    [Fact]
    public async Task Exposure_IsAtMostTwoOfTen()
    {
        using var unit = new InstalledUnit();

        var output = await Tool.RunAsync("systemd-analyze", "security", "--offline=true", "--no-pager", unit.File);

        var exposure = Overall().Match(output);
        Assert.True(exposure.Success, output);
        Assert.InRange(double.Parse(exposure.Groups[1].Value, CultureInfo.InvariantCulture), 0, 2);
    }

    [Fact]
    public void Unit_NotifiesChecksAndReloads()
    {
        Assert.Equal(["notify"], Values("Type"));
        Assert.Equal(["/opt/proxygateway/proxygateway check /etc/proxygateway/appsettings.json"], Values("ExecStartPre"));
        Assert.Equal(["/opt/proxygateway/proxygateway check /etc/proxygateway/appsettings.json", "/bin/kill -HUP $MAINPID"], Values("ExecReload"));
        Assert.Equal(["yes"], Values("DynamicUser"));
    }

    [Fact]
    public void StopTimeout_OutlastsTheDrain() =>
        Assert.True(DrainTimes.Seconds(Assert.Single(Values("TimeoutStopSec"))) > DrainTimes.Default + DrainTimes.Endings);

    private static IEnumerable<string> Values(string key) =>
        s_unit.Split('\n').Where(l => l.StartsWith(key + "=", StringComparison.Ordinal)).Select(l => l[(key.Length + 1)..]);

    [GeneratedRegex(@"Overall exposure level for .*: ([0-9.]+)")]
    private static partial Regex Overall();

    /// <summary>The unit beside a program that exists: verify looks for it.</summary>
    private sealed class InstalledUnit : IDisposable
    {
        private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("gateway-unit-");

        public InstalledUnit() =>
            System.IO.File.WriteAllText(File, s_unit.Replace("/opt/proxygateway/proxygateway", "/bin/true", StringComparison.Ordinal));

        public string File => Path.Combine(_folder.FullName, "proxygateway.service");

        public void Dispose() => _folder.Delete(recursive: true);
    }
}
