using Microsoft.Extensions.DependencyInjection;
using ProxyGateway.Configuration;
using ProxyGateway.Configuration.Merging;
using ProxyGateway.Configuration.Reload;
using ProxyGateway.Configuration.Validation;
using ProxyGateway.Hosting;
using ProxyGateway.StreamingFallback.ChatFormats;
using Xunit;
using Yarp.ReverseProxy;

namespace ProxyGateway.IntegrationTests.Configuration;

/// <summary>Every sample starts a gateway whose YARP has exactly the sample's routes and clusters.</summary>
public sealed class SampleRunTests
{
    private static readonly string s_root = FindRoot();

    public static TheoryData<string> Samples =>
    [
        "appsettings.json",
        .. Directory.GetFiles(Path.Combine(s_root, "config"), "*.json")
            .Select(f => $"config/{Path.GetFileName(f)}")
            .Where(f => !f.EndsWith(".schema.json", StringComparison.Ordinal))
            .Order(StringComparer.Ordinal),
    ];

    [Theory]
    [MemberData(nameof(Samples))]
    public async Task Sample_Serves(string sample)
    {
        var cancellation = TestContext.Current.CancellationToken;
        var file = Path.Combine(s_root, sample);
        var gateway = GatewayConfiguration.Load(new ConfigurationInputs
        {
            File = file,
            Environment = new Dictionary<string, string>
            {
                ["Gateway__Listen"] = "http://127.0.0.1:0",
                ["Gateway__ManagementListen"] = "http://127.0.0.1:0",
                ["Gateway__Drain__Delay"] = "00:00:00",
            },
        });
        var model = GatewayModel.Of(gateway.First.Snapshot.Root);
        Assert.SkipWhen(
            model.Routes.Any(r => r.IsGuarded && !ChatFormatRegistry.Served.Contains(r.Format)),
            "This build does not guard the sample's format.");
        var findings = new StringWriter();
        Assert.True(gateway.ReportStart(findings), findings.ToString());

        await using var app = GatewayHost.Build(c => gateway.AddTo(c), b => gateway.AddTo(b.Services));
        await app.StartAsync(cancellation);

        var yarp = app.Services.GetRequiredService<IProxyStateLookup>();
        Assert.Equal(model.Routes.Select(r => r.Id).Order(StringComparer.Ordinal), yarp.GetRoutes().Select(r => r.Config.RouteId).Order(StringComparer.Ordinal));
        Assert.Equal(model.Clusters.Select(c => c.Id).Order(StringComparer.Ordinal), yarp.GetClusters().Select(c => c.ClusterId).Order(StringComparer.Ordinal));
        Assert.Equal(1, app.Services.GetRequiredService<ConfigurationReloader>().State.Version);
        await app.StopAsync(cancellation);
    }

    private static string FindRoot()
    {
        var directory = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(directory!.FullName, "ProxyGateway.sln")))
        {
            directory = directory.Parent;
        }

        return directory.FullName;
    }
}
