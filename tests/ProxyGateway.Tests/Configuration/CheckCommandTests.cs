using System.Text.Json;
using ProxyGateway.Configuration.Commands;
using ProxyGateway.Configuration.Merging;
using Xunit;

namespace ProxyGateway.Tests.Configuration;

public sealed class CheckCommandTests
{
    private static string Bad(string name) => RepositoryFiles.PathOf("tests", "ProxyGateway.Tests", "Configuration", "BadFiles", name + ".jsonc");

    [Fact]
    public void InvalidFile_PrintsEveryFindingAndEndsWith1()
    {
        var output = new StringWriter();

        var exitCode = CheckCommand.Run(new ConfigurationInputs { File = Bad("route-to-undefined-cluster") }, CheckFormat.Text, output, TextWriter.Null);

        Assert.Equal(1, exitCode);
        Assert.Contains("route-to-undefined-cluster.jsonc:5:22: error: ReverseProxy:Routes:chat:ClusterId: no such cluster (\"agnet\"); did you mean agent?", output.ToString(), StringComparison.Ordinal);
        Assert.EndsWith("invalid, 1 error, 1 warning\n", output.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void MissingFile_EndsWith2()
    {
        var errors = new StringWriter();

        var exitCode = CheckCommand.Run(new ConfigurationInputs { File = Bad("none-of-this-name") }, CheckFormat.Text, TextWriter.Null, errors);

        Assert.Equal(2, exitCode);
        Assert.EndsWith("none-of-this-name.jsonc: error: (file): the file does not exist; name a readable file\n", errors.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void JsonFormat_SaysTheSameForMachines()
    {
        var output = new StringWriter();

        var exitCode = CheckCommand.Run(new ConfigurationInputs { File = Bad("duration-bare-number") }, CheckFormat.Json, output, TextWriter.Null);

        using var report = JsonDocument.Parse(output.ToString());
        Assert.Equal(1, exitCode);
        Assert.False(report.RootElement.GetProperty("valid").GetBoolean());
        var finding = Assert.Single(report.RootElement.GetProperty("diagnostics").EnumerateArray());
        Assert.Equal("error", finding.GetProperty("severity").GetString());
        Assert.Equal(13, finding.GetProperty("line").GetInt32());
        Assert.Equal(31, finding.GetProperty("column").GetInt32());
        Assert.Equal("ReverseProxy:Clusters:agent:Timeouts:Idle", finding.GetProperty("path").GetString());
    }
}
