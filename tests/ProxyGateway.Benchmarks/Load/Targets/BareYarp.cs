using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Yarp.ReverseProxy.Configuration;
using Yarp.ReverseProxy.Forwarder;

namespace ProxyGateway.Benchmarks.Load.Targets;

/// <summary>YARP without the guard, in a host set up as the gateway's: what the gateway's own cost is measured against.</summary>
internal static class BareYarp
{
    public const string Inline = "inline";
    public const string Http2 = "http2";

    public static async Task<int> RunAsync(string listen, string upstream, string tuning)
    {
        if (tuning == Inline)
        {
            Environment.SetEnvironmentVariable(ChildProcess.InlineCompletions, "1");
        }

        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Logging.AddFilter("Yarp", LogLevel.Error).AddFilter("Microsoft.AspNetCore", LogLevel.Warning);
        builder.Logging.AddSimpleConsole();
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = null;
            kestrel.Listen(IPAddress.Loopback, int.Parse(listen, System.Globalization.CultureInfo.InvariantCulture), l => l.Protocols = HttpProtocols.Http1);
        });
        builder.Services.Configure<SocketTransportOptions>(o => o.UnsafePreferInlineScheduling = tuning == Inline);
        builder.Services.AddRoutingCore();
        builder.Services.AddReverseProxy().LoadFromMemory(
            [new RouteConfig { RouteId = "chat", ClusterId = "agent", Match = new RouteMatch { Path = "/v1/chat/completions", Methods = ["POST"] } }],
            [
                new ClusterConfig
                {
                    ClusterId = "agent",
                    HttpRequest = tuning == Http2 ? new ForwarderRequestConfig { Version = HttpVersion.Version20, VersionPolicy = System.Net.Http.HttpVersionPolicy.RequestVersionExact } : null,
                    Destinations = new Dictionary<string, DestinationConfig> { ["a"] = new() { Address = upstream } },
                },
            ]);
        var app = builder.Build();
        app.UseRouting();
        app.MapReverseProxy();
        await app.RunAsync();
        return 0;
    }
}
