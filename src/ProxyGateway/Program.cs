using System.CommandLine;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using ProxyGateway.Demo;
using ProxyGateway.Hosting;

var config = new Option<string>("--config") { Description = "The configuration file.", DefaultValueFactory = _ => "appsettings.json" };
var run = new Command("run", "Serves (the default).") { config };
run.SetAction((parse, cancel) => ServeAsync(parse.GetValue(config)!, cancel));
var once = new Option<bool>("--once") { Description = "Exit after the requests: 0 if all went as promised." };
var demo = new Command("demo", "Serves in front of embedded demo agents that fail, and shows what the client gets.") { once };
demo.SetAction((parse, cancel) => new DemoCommand(StartDemoGatewayAsync, Console.Out).RunAsync(parse.GetValue(once), cancel));
var version = new Command("version", "Prints the version.");
version.SetAction(_ => Console.WriteLine(typeof(GatewayHost).Assembly.GetName().Version?.ToString(3)));
var root = new RootCommand("ProxyGateway: no chat stream ends silently broken.") { config };
root.SetAction((parse, cancel) => ServeAsync(parse.GetValue(config)!, cancel));
root.Subcommands.Add(run);
root.Subcommands.Add(demo);
root.Subcommands.Add(version);
return await root.Parse(args).InvokeAsync();

static async Task<int> ServeAsync(string file, CancellationToken cancel)
{
    await using var app = GatewayHost.Build(c => c.AddJsonFile(Path.GetFullPath(file), optional: false, reloadOnChange: false).AddEnvironmentVariables());
    await app.RunAsync();
    return 0;
}

static async Task<(Uri Proxy, IAsyncDisposable Gateway)> StartDemoGatewayAsync(IReadOnlyDictionary<string, string?> configuration, CancellationToken cancel)
{
    var app = GatewayHost.Build(c => c.AddInMemoryCollection(configuration));
    await app.StartAsync(cancel);
    var address = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();
    return (new Uri(address), app);
}
