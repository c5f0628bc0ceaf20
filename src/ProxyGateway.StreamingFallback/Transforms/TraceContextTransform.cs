using ProxyGateway.StreamingFallback.Attempts;
using ProxyGateway.StreamingFallback.Configuration;
using Yarp.ReverseProxy.Transforms;
using Yarp.ReverseProxy.Transforms.Builder;

namespace ProxyGateway.StreamingFallback.Transforms;

/// <summary>
/// The last thing done to a request before it is sent: what the client said of its trace is taken out, unless the cluster may know.
/// A trace id is the same in every system it comes through, so whoever gets it can tell which requests belong together.
/// </summary>
internal sealed class TraceContextTransform : GatewayTransform
{
    private static readonly string[] Headers = ["traceparent", "tracestate", "baggage", "Request-Id", "Correlation-Context"];

    public static bool IsAllowed(IReadOnlyDictionary<string, string>? metadata) =>
        metadata?.ContainsKey(StreamingFallbackConfigFilter.TraceContextKey) == true;

    public override void Apply(TransformBuilderContext context) => context.AddRequestTransform(static transform =>
    {
        var http = transform.HttpContext;
        // The cluster that is asked now; a fallback goes through the transforms of the route's own.
        if (!IsAllowed(http.Proxy().Cluster.Config.Metadata))
        {
            foreach (var header in Headers)
            {
                if (http.Request.Headers.ContainsKey(header))
                {
                    transform.ProxyRequest.Headers.Remove(header);
                }
            }
        }

        (UpstreamCall.Of(http) as Attempt)?.OnSending();
        return default;
    });
}
