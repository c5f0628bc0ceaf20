using ProxyGateway.StreamingFallback.Attempts;
using ProxyGateway.StreamingFallback.Exchange;
using Yarp.ReverseProxy.Transforms;
using Yarp.ReverseProxy.Transforms.Builder;

namespace ProxyGateway.StreamingFallback.Transforms;

/// <summary>
/// What the gateway itself tells an upstream: the request's id, and how many gateways it has come through. Given to the call alone, for
/// a header that the server does not know costs the request a table. What the client or a transform has put there stays.
/// </summary>
internal sealed class GatewayHeadersTransform : GatewayTransform
{
    public override void Apply(TransformBuilderContext context) => context.AddRequestTransform(static transform =>
    {
        if (UpstreamCall.Of(transform.HttpContext) is not { } call)
        {
            return default;
        }

        var headers = transform.ProxyRequest.Headers;
        if (!headers.NonValidated.Contains(RequestIds.Header))
        {
            headers.TryAddWithoutValidation(RequestIds.Header, call.RequestId);
        }

        if (!headers.NonValidated.Contains(HopCount.Header))
        {
            headers.TryAddWithoutValidation(HopCount.Header, HopCount.Told(transform.HttpContext.Request.Headers));
        }

        return default;
    });
}
