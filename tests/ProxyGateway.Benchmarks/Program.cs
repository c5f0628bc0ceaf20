using ProxyGateway.Benchmarks.Load;
using ProxyGateway.Benchmarks.Load.Targets;
using ProxyGateway.Benchmarks.Load.Wire;
using ProxyGateway.Benchmarks.Micro;
using ProxyGateway.Benchmarks.Plots;

const string Usage =
    """
    micro [BenchmarkDotNet arguments]      what one event, one plan, one permit cost
    load  [--targets yarp,gateway,...] [--cells light,heavy,...] [--rounds N] [--quick] [--json FILE] [--gateway PATH] [--before PATH] [--portkey DIR]
                                           proxies side by side, on loopback
    plot  FILE [DIRECTORY]                 two SVG files of a load run with the cells more-streams and longer-streams; into docs/images
    """;

return args switch
{
    ["micro", .. var rest] => MicroBenchmarks.Run(rest),
    ["plot", var file] => PlotCommand.Run(file, Path.Combine("docs", "images")),
    ["plot", var file, var directory] => PlotCommand.Run(file, directory),
    ["load", .. var rest] => await LoadCommand.RunAsync(rest),
    // The three below are children of `load`.
    ["upstream"] => UpstreamServer.RunUntilParentEnds(),
    ["upstream-http2"] => await Http2UpstreamServer.RunUntilParentEndsAsync(),
    ["yarp", var listen, var upstream, var tuning] => await BareYarp.RunAsync(listen, upstream, tuning),
    _ => Complain(),
};

static int Complain()
{
    Console.Error.WriteLine(Usage);
    return 2;
}
