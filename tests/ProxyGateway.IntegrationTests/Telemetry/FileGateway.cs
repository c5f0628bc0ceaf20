using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using ProxyGateway.Configuration;
using ProxyGateway.Configuration.Merging;
using ProxyGateway.Configuration.Validation;
using ProxyGateway.Demo;
using ProxyGateway.Hosting;
using ProxyGateway.Management;

namespace ProxyGateway.IntegrationTests.Telemetry;

/// <summary>A gateway that serves from a configuration file, as an operator's does, in front of the demo agents: some good, most of them failing.</summary>
internal sealed class FileGateway : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly DemoFleet _fleet;
    private readonly string _file;

    private FileGateway(WebApplication app, DemoFleet fleet, string file)
    {
        (_app, _fleet, _file) = (app, fleet, file);
        Proxy = new Uri(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());
        Management = new Uri(app.Services.GetRequiredService<ManagementServer>().Address!);
    }

    public Uri Proxy { get; }

    public Uri Management { get; }

    public static async Task<FileGateway> StartAsync(CancellationToken cancel, params (string Key, string Value)[] settings)
    {
        var fleet = await DemoFleet.StartAsync(TimeSpan.FromMilliseconds(2), cancel);
        var values = DemoConfiguration.For(fleet, "http://127.0.0.1:0");
        foreach (var (key, value) in settings)
        {
            values[key] = value;
        }

        var file = Path.GetTempFileName();
        await File.WriteAllTextAsync(file, ToJson(values), cancel);
        var configuration = GatewayConfiguration.Load(new ConfigurationInputs { File = file }, new ValidationContext());
        Xunit.Assert.True(configuration.First.IsValid, string.Join('\n', configuration.First.Diagnostics));
        var app = GatewayHost.Build(c => configuration.AddTo(c), b =>
        {
            b.Logging.ClearProviders();
            configuration.AddTo(b.Services);
        });
        await app.StartAsync(cancel);
        return new FileGateway(app, fleet, file);
    }

    /// <summary>Every failure the demo knows, and what goes well.</summary>
    public async Task SufferAsync(int times, CancellationToken cancel)
    {
        using var client = new DemoClient();
        for (var i = 0; i < times; i++)
        {
            foreach (var demoCase in DemoCase.All)
            {
                await client.StreamAsync(Proxy, demoCase.Model, demoCase.Prompt, cancel);
            }
        }
    }

    /// <summary>An edit that nobody could mean.</summary>
    public Task BreakFileAsync(CancellationToken cancel) => File.WriteAllTextAsync(_file, "{ \"Gateway\": ", cancel);

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync();
        await _app.DisposeAsync();
        await _fleet.DisposeAsync();
        File.Delete(_file);
    }

    private static string ToJson(IReadOnlyDictionary<string, string?> values)
    {
        var root = new JsonObject();
        foreach (var (key, value) in values)
        {
            var parts = key.Split(':');
            var node = root;
            foreach (var part in parts[..^1])
            {
                node = (JsonObject)(node[part] ??= new JsonObject());
            }

            node[parts[^1]] = long.TryParse(value, out var number) ? number : bool.TryParse(value, out var flag) ? flag : value;
        }

        return WithLists(root).ToJsonString();
    }

    /// <summary>Keys that are numbers are positions.</summary>
    private static JsonNode WithLists(JsonObject node)
    {
        var children = node.Select(c => (c.Key, Value: c.Value is JsonObject o ? WithLists(o) : c.Value?.DeepClone())).ToList();
        return children.Count > 0 && children.TrueForAll(c => int.TryParse(c.Key, out _))
            ? new JsonArray([.. children.OrderBy(c => int.Parse(c.Key, System.Globalization.CultureInfo.InvariantCulture)).Select(c => c.Value)])
            : new JsonObject(children.Select(c => KeyValuePair.Create(c.Key, c.Value)));
    }
}
