using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.Logging;
using ProxyGateway.StreamingFallback.Configuration;
using Yarp.ReverseProxy.Forwarder;

namespace ProxyGateway.StreamingFallback.Transforms;

/// <summary>YARP's HTTP clients with a connect clock of each cluster's own, connections that notice a change of DNS, and no word of a trace to who is not meant to know.</summary>
internal sealed partial class UpstreamClientFactory(ILogger<ForwarderHttpClientFactory> logger) : ForwarderHttpClientFactory(logger)
{
    /// <summary>After this time a connection takes no new request, so that a changed address is found. Streams on it go on.</summary>
    private static readonly TimeSpan PooledConnectionLifetime = TimeSpan.FromMinutes(5);

    /// <summary>An application that brought its own clients keeps them, and learns which options do not reach those.</summary>
    public static void WarnOfOther(IForwarderHttpClientFactory factory, ILogger logger)
    {
        if (factory is not UpstreamClientFactory)
        {
            OtherFactory(logger);
        }
    }

    [LoggerMessage(EventId = 5, EventName = "OtherHttpClients", Level = LogLevel.Warning, Message =
        "the application makes its own HTTP clients (ConfigureHttpClient or an IForwarderHttpClientFactory): Timeouts:Connect and ForwardTraceContext do not reach them, set ConnectTimeout and ActivityHeadersPropagator on the handler")]
    private static partial void OtherFactory(ILogger logger);

    protected override bool CanReuseOldClient(ForwarderHttpClientContext context) =>
        base.CanReuseOldClient(context) && ConnectTimeout(context.OldMetadata) == ConnectTimeout(context.NewMetadata)
        && TraceContextTransform.IsAllowed(context.OldMetadata) == TraceContextTransform.IsAllowed(context.NewMetadata);

    protected override void ConfigureHandler(ForwarderHttpClientContext context, SocketsHttpHandler handler)
    {
        base.ConfigureHandler(context, handler);
        handler.PooledConnectionLifetime = PooledConnectionLifetime;
        // HttpClient's own spans stay for whoever collects them; the question is what of them is written into the request.
        handler.ActivityHeadersPropagator = TraceContextTransform.IsAllowed(context.NewMetadata)
            ? new CollectedSpanPropagator(handler.ActivityHeadersPropagator ?? DistributedContextPropagator.Current)
            : DistributedContextPropagator.CreateNoOutputPropagator();

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
