using ProxyGateway.Configuration;

namespace ProxyGateway.Management.Security;

/// <summary>Says at the start what a management port that others can reach shows to them, and what it refuses without a key.</summary>
internal sealed partial class OpenManagementWarning(GatewayOptions options, ManagementAccess access, ILogger<OpenManagementWarning> logger) : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken)
    {
        if (!access.OnLoopback && string.IsNullOrEmpty(options.ManagementKey))
        {
            Open(logger, options.ManagementListen);
        }

        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    [LoggerMessage(EventId = 1, EventName = "OpenManagement", Level = LogLevel.Warning, Message =
        "the management port listens on {Listen}, which other machines can reach, and Gateway:ManagementKey is not set: whoever reaches it may read /metrics and /health, and the status page and the API refuse everybody")]
    private static partial void Open(ILogger logger, string listen);
}
