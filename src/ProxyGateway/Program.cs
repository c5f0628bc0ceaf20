using System.CommandLine;
using System.Net.Sockets;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using ProxyGateway.Configuration;
using ProxyGateway.Configuration.Commands;
using ProxyGateway.Configuration.Merging;
using ProxyGateway.Demo;
using ProxyGateway.Hosting;
using ProxyGateway.Management;

var config = new Option<string>("--config") { Description = "The configuration file.", DefaultValueFactory = _ => "appsettings.json" };
// What is no option of run is a setting: --Section:Key=value. The tolerance reaches every verb, so the others are judged below.
var root = new RootCommand("ProxyGateway: no chat stream ends silently broken.") { config };
root.TreatUnmatchedTokensAsErrors = false;
root.SetAction(parse => ServeAsync(parse.GetValue(config)!, parse.UnmatchedTokens));

var run = new Command("run", "Serves (the default).") { config };
run.TreatUnmatchedTokensAsErrors = false;
run.SetAction(parse => ServeAsync(parse.GetValue(config)!, parse.UnmatchedTokens));

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

foreach (var command in new[] { run, HealthCheck(config), demo, DemoAgentVerb(), check, schema, version })
{
    root.Subcommands.Add(command);
}

var parsed = root.Parse(args);
// The command line would end the process two seconds after SIGTERM; a gateway that drains takes its own time, and its host hears the signal itself.
var serves = parsed.CommandResult.Command == root || parsed.CommandResult.Command == run;
if (!serves && SettingArguments.Refuse(parsed.CommandResult.Command.Name, parsed.UnmatchedTokens) is { } surplus)
{
    Console.Error.WriteLine(surplus);
    return 1;
}

return await parsed.InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = serves ? null : TimeSpan.FromSeconds(2) });

static Command HealthCheck(Option<string> config)
{
    var live = new Option<bool>("--live") { Description = "Ask whether the process turns, not whether it wants traffic." };
    var timeout = new Option<TimeSpan>("--timeout") { Description = "The longest wait.", DefaultValueFactory = _ => TimeSpan.FromSeconds(3) };
    var command = new Command("healthcheck", "Asks the gateway that runs with this configuration on this machine. Exit code 0 ready, 1 not.") { config, live, timeout };
    command.SetAction((parse, cancel) => HealthCheckCommand.RunAsync(
        Inputs(parse.GetValue(config)!, []),
        parse.GetValue(live) ? HealthCheckCommand.Live : HealthCheckCommand.Ready,
        parse.GetValue(timeout),
        Console.Out,
        cancel));
    return command;
}

static Command DemoAgentVerb()
{
    var listen = new Option<string>("--listen") { Description = "Its address.", DefaultValueFactory = _ => "http://127.0.0.1:3456" };
    var streaming = new Option<string>("--streaming") { Description = "What it does with streaming requests: good, reset-12, stall-12, clean-12, error-12, refuse-30 …", DefaultValueFactory = _ => "good" };
    var nonStreaming = new Option<string>("--non-streaming") { Description = "What it does with others.", DefaultValueFactory = _ => "good" };
    var tokens = new Option<int>("--tokens") { Description = "Tokens of an answer.", DefaultValueFactory = _ => 40 };
    var delay = new Option<TimeSpan>("--token-delay") { Description = "The pause after each.", DefaultValueFactory = _ => TimeSpan.FromMilliseconds(20) };
    var deaf = new Option<bool>("--ignore-model-names") { Description = "A model called demo-reset-12 and the like chooses nothing." };
    var command = new Command("demo-agent", "Serves one agent that fails as asked, to try a configuration, a client or another proxy with.") { listen, streaming, nonStreaming, tokens, delay, deaf };
    command.SetAction((parse, cancel) => DemoAgentCommand.RunAsync(
        new DemoAgentArguments(
            parse.GetValue(listen)!, parse.GetValue(streaming)!, parse.GetValue(nonStreaming)!, parse.GetValue(tokens), parse.GetValue(delay), parse.GetValue(deaf)),
        Console.Out,
        Console.Error,
        cancel));
    return command;
}

static ConfigurationInputs Inputs(string file, IReadOnlyList<string> settings) => new()
{
    File = Path.GetFullPath(file),
    Environment = ConfigurationInputs.ProcessEnvironment(),
    Arguments = settings,
};

static async Task<int> ServeAsync(string file, IReadOnlyList<string> settings)
{
    if (SettingArguments.Judge(settings) is { } wrong)
    {
        Console.Error.WriteLine(wrong);
        return 1;
    }

    if (file.Length == 0)
    {
        Console.Error.WriteLine("--config names no file. Write --config appsettings.json.");
        return 1;
    }

    var inputs = Inputs(file, settings);
    var gateway = GatewayConfiguration.Load(inputs);
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
        builder =>
        {
            gateway.AddTo(builder.Services);
            SystemdNotifier.AddTo(builder.Services, inputs.Environment);
        });
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
    catch (SocketException e) when (e.SocketErrorCode is SocketError.AddressNotAvailable or SocketError.AccessDenied)
    {
        Console.Error.WriteLine(e.SocketErrorCode == SocketError.AccessDenied
            ? "The process may not listen at one of its ports; choose a port from 1024 in Gateway:Listen, Gateway:ListenHttp2 and Gateway:ManagementListen, or give it the right to lower ones."
            : "This machine does not have one of the addresses in Gateway:Listen, Gateway:ListenHttp2 and Gateway:ManagementListen; name one that it has, or * for every one.");
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
