using System.Globalization;
using System.Net.Http;
using Microsoft.Extensions.Logging;
using ProxyGateway.StreamingFallback.Configuration;
using Yarp.ReverseProxy.Forwarder;

namespace ProxyGateway.StreamingFallback.Transforms;

/// <summary>YARP's HTTP clients with a connect clock of each cluster's own, and connections that notice a change of DNS.</summary>
internal sealed class UpstreamClientFactory(ILogger<ForwarderHttpClientFactory> logger) : ForwarderHttpClientFactory(logger)
{
    /// <summary>After this time a connection takes no new request, so that a changed address is found. Streams on it go on.</summary>
    private static readonly TimeSpan PooledConnectionLifetime = TimeSpan.FromMinutes(5);

    protected override bool CanReuseOldClient(ForwarderHttpClientContext context) =>
        base.CanReuseOldClient(context) && ConnectTimeout(context.OldMetadata) == ConnectTimeout(context.NewMetadata);

    protected override void ConfigureHandler(ForwarderHttpClientContext context, SocketsHttpHandler handler)
    {
        base.ConfigureHandler(context, handler);
        handler.PooledConnectionLifetime = PooledConnectionLifetime;
        if (ConnectTimeout(context.NewMetadata) is { } timeout)
        {
            handler.ConnectTimeout = timeout;
        }
    }

    protected override HttpMessageHandler WrapHandler(ForwarderHttpClientContext context, HttpMessageHandler handler) =>
        new WholeBodyHandler(base.WrapHandler(context, handler));

    private static TimeSpan? ConnectTimeout(IReadOnlyDictionary<string, string>? metadata) =>
        metadata?.GetValueOrDefault(StreamingFallbackConfigFilter.ConnectTimeoutKey) is { } text
        && long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var milliseconds) && milliseconds > 0
            ? TimeSpan.FromMilliseconds(milliseconds)
            : null;
}
