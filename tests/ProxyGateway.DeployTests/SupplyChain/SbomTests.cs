using System.Text.Json.Nodes;
using Xunit;

namespace ProxyGateway.DeployTests.SupplyChain;

/// <summary>The bill of materials, as the documented command writes it.</summary>
public sealed class SbomTests
{
    [Fact]
    public async Task Sbom_ListsEveryPackageOfTheLockFile()
    {
        var bom = JsonNode.Parse(await Tool.RunAsync("dotnet", "run", Repository.PathOf("deploy", "sbom.cs")))!;
        var locked = JsonNode.Parse(Repository.Text("src", "ProxyGateway", "packages.lock.json"))!["dependencies"]!["net10.0"]!.AsObject()
            .Where(p => p.Value!["type"]!.GetValue<string>() != "Project" && p.Key != "Microsoft.NET.ILLink.Tasks")
            .Select(p => $"pkg:nuget/{p.Key}@{p.Value!["resolved"]}");

        var components = bom["components"]!.AsArray();
        Assert.Equal("CycloneDX", bom["bomFormat"]!.GetValue<string>());
        Assert.Equal(locked.Append("pkg:npm/uplot@1.6.32").Order(StringComparer.Ordinal), components.Select(c => c!["purl"]!.GetValue<string>()).Order(StringComparer.Ordinal));
        Assert.All(components, c => Assert.Single(c!["licenses"]!.AsArray()));
        var references = components.Select(c => c!["bom-ref"]!.GetValue<string>()).Append("proxygateway").ToHashSet();
        Assert.All(bom["dependencies"]!.AsArray().SelectMany(d => d!["dependsOn"]!.AsArray()), d => Assert.Contains(d!.GetValue<string>(), references));
    }

    /// <summary>The version that the file itself claims.</summary>
    [Fact]
    public void EmbeddedChartLibrary_IsTheOneThatIsListed()
    {
        const string Version = "1.6.32";
        Assert.Contains($"uPlot (v{Version})", Repository.Text("src", "ProxyGateway", "Management", "Page", "Files", "uplot", "uPlot.iife.min.js")[..200], StringComparison.Ordinal);
        Assert.Contains($"uplot@{Version}", Repository.Text("deploy", "sbom.cs"), StringComparison.Ordinal);
        var notices = Repository.Text("THIRD-PARTY-NOTICES.md");
        Assert.Contains($"uPlot {Version}", notices, StringComparison.Ordinal);
        Assert.Contains("Copyright (c) 2022 Leon Sorokin", notices, StringComparison.Ordinal);
    }
}
