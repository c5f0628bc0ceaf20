using Microsoft.AspNetCore.Http;
using Yarp.ReverseProxy.Forwarder;
using Yarp.ReverseProxy.Model;

namespace ProxyGateway.StreamingFallback.Attempts;

/// <summary>What YARP has left on a context. Asked for by type, not by type argument: the generic way costs several times as much, and an exchange asks often.</summary>
internal static class ProxyFeatures
{
    /// <exception cref="InvalidOperationException">The context does not go through YARP's pipeline.</exception>
    public static IReverseProxyFeature Proxy(this HttpContext context) =>
        (IReverseProxyFeature?)context.Features[typeof(IReverseProxyFeature)] ?? throw new InvalidOperationException("The request does not go through YARP's pipeline.");

    /// <summary>Why YARP could not forward; null where it could.</summary>
    public static IForwarderErrorFeature? ForwarderError(this HttpContext context) => (IForwarderErrorFeature?)context.Features[typeof(IForwarderErrorFeature)];
}
