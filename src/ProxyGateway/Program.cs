using System.CommandLine;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using ProxyGateway.Configuration;
using ProxyGateway.Configuration.Commands;
using ProxyGateway.Configuration.Merging;
using ProxyGateway.Demo;
using ProxyGateway.Hosting;
using ProxyGateway.Management;

var config = new Option<string>("--config") { Description = "The configuration file.", DefaultValueFactory = _ => "appsettings.json" };
var root = new RootCommand("ProxyGateway: no chat stream ends silently broken.") { config };
root.SetAction(parse => ServeAsync(parse.GetValue(config)!));

var run = new Command("run", "Serves (the default).") { config };
run.SetAction(parse => ServeAsync(parse.GetValue(config)!));

var once = new Option<bool>("--once") { Description = "Exit after the requests: 0 if all went as promised." };
var demo = new Command("demo", "Serves in front of embedded demo agents that fail, and shows what the client gets.") { once };
demo.SetAction((parse, cancel) => new DemoCommand(StartDemoGatewayAsync, Console.Out).RunAsync(parse.GetValue(once), cancel));

var file = new Argument<string>("FILE") { Description = "The configuration file.", DefaultValueFactory = _ => "appsettings.json" };
var format = new Option<CheckFormat>("--format") { Description = "text or json." };
var check = new Command("check", "Validates a configuration as a start would. Exit code 0 valid, 1 invalid, 2 unreadable.") { file, format };
check.SetAction(parse => CheckCommand.Run(parse.GetValue(file)!, parse.GetValue(format), Console.Out, Console.Error));

var schema = new Command("schema", "Prints the JSON Schema of the configuration.");
schema.SetAction(_ => SchemaCommand.Run(Console.Out));

var version = new Command("version", "Prints the version.");
version.SetAction(_ => Console.WriteLine(typeof(GatewayHost).Assembly.GetName().Version?.ToString(3)));

foreach (var command in new[] { run, demo, check, schema, version })
{
    root.Subcommands.Add(command);
}

return await root.Parse(args).InvokeAsync();

static async Task<int> ServeAsync(string file)
{
    var gateway = GatewayConfiguration.Load(new ConfigurationInputs
    {
        File = Path.GetFullPath(file),
        Environment = ConfigurationInputs.ProcessEnvironment(),
        Arguments = [],
    });
    if (!gateway.ReportStart(Console.Error))
    {
        return gateway.First.ExitCode;
    }

    await using var app = GatewayHost.Build(
        configuration =>
        {
            configuration.AddEnvironmentVariables();
            gateway.AddTo(configuration);
        },
        builder => gateway.AddTo(builder.Services));
    try
    {
        await app.RunAsync();
        return 0;
    }
    catch (IOException e) when (e.InnerException is Microsoft.AspNetCore.Connections.AddressInUseException)
    {
        Console.Error.WriteLine($"{e.Message} Another process listens there; choose another address in Gateway:Listen, Gateway:ListenHttp2 or Gateway:ManagementListen.");
        return 1;
    }
}

static async Task<DemoGateway> StartDemoGatewayAsync(IReadOnlyDictionary<string, string?> configuration, CancellationToken cancel)
{
    // The demo's table is its log; the lines in between would only tear it.
    var app = GatewayHost.Build(
        c => c.AddInMemoryCollection(configuration),
        builder => builder.Logging.SetMinimumLevel(LogLevel.Error));
    await app.StartAsync(cancel);
    var address = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();
    return new DemoGateway(new Uri(address), new Uri(app.Services.GetRequiredService<ManagementServer>().Address!), app);
}
