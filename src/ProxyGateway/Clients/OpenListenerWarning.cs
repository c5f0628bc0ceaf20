using System.Net;
using ProxyGateway.Configuration;

namespace ProxyGateway.Clients;

/// <summary>Says at the start that a proxy which others can reach lets everybody in.</summary>
internal sealed partial class OpenListenerWarning(GatewayOptions options, ClientRegistry clients, ILogger<OpenListenerWarning> logger) : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken)
    {
        foreach (var listen in new[] { options.Listen, options.ListenHttp2 })
        {
            if (!string.IsNullOrEmpty(listen) && clients.Current.IsEmpty && !IsLoopback(BindingAddress.Parse(listen)))
            {
                Open(logger, listen);
            }
        }

        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    private static bool IsLoopback(BindingAddress address) =>
        address.IsUnixPipe
        || address.Host.Equals("localhost", StringComparison.OrdinalIgnoreCase)
        || (IPAddress.TryParse(address.Host.Trim('[', ']'), out var ip) && IPAddress.IsLoopback(ip));

    [LoggerMessage(EventId = 1, EventName = "OpenListener", Level = LogLevel.Warning, Message =
        "the proxy listens on {Listen}, which other machines can reach, and no Clients are configured: whoever reaches it may use every upstream")]
    private static partial void Open(ILogger logger, string listen);
}
