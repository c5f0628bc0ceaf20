using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Yarp.ReverseProxy.Forwarder;
using Yarp.ReverseProxy.Model;

namespace ProxyGateway.StreamingFallback.Attempts;

/// <summary>
/// A second context out of the client's, for an attempt that runs beside another: a pass through YARP's pipeline changes the
/// context it goes with. Made before the first pass begins.
/// </summary>
internal static class RequestCopy
{
    /// <summary>What a pass changes, what would reach the client past us, and what reads the body. All else is only read and is shared.</summary>
    private static readonly HashSet<Type> NotShared =
    [
        typeof(IHttpRequestFeature), typeof(IHttpResponseFeature), typeof(IHttpResponseBodyFeature), typeof(IHttpResponseTrailersFeature),
        typeof(IHttpRequestLifetimeFeature), typeof(IHttpResetFeature), typeof(IHttpUpgradeFeature), typeof(IHttpExtendedConnectFeature),
        typeof(IHttpBodyControlFeature), typeof(IRequestBodyPipeFeature), typeof(IHttpRequestTrailersFeature), typeof(IFormFeature),
        typeof(IQueryFeature), typeof(IRequestCookiesFeature), typeof(IResponseCookiesFeature), typeof(IItemsFeature),
        typeof(IServiceProvidersFeature), typeof(IReverseProxyFeature), typeof(IForwarderErrorFeature),
    ];

    public static HttpContext Of(HttpContext original)
    {
        var features = new FeatureCollection();
        foreach (var (type, feature) in original.Features)
        {
            if (!NotShared.Contains(type))
            {
                features[type] = feature;
            }
        }

        var request = original.Features.GetRequiredFeature<IHttpRequestFeature>();
        var headers = new HeaderDictionary(request.Headers.Count);
        foreach (var (name, value) in request.Headers)
        {
            headers[name] = value;
        }

        features.Set<IHttpRequestFeature>(new HttpRequestFeature
        {
            Protocol = request.Protocol,
            Scheme = request.Scheme,
            Method = request.Method,
            PathBase = request.PathBase,
            Path = request.Path,
            QueryString = request.QueryString,
            RawTarget = request.RawTarget,
            Headers = headers,
            Body = Stream.Null,
        });
        features.Set(original.Proxy());
        if (original.Features.Get<IServiceProvidersFeature>() is { } services)
        {
            // The server makes the request's scope when it is first asked for, which two flows must not do at a time.
            features.Set<IServiceProvidersFeature>(new ServiceProvidersFeature { RequestServices = services.RequestServices });
        }

        return new DefaultHttpContext(features) { Items = new Dictionary<object, object?>(original.Items) };
    }
}
