using Microsoft.AspNetCore.Http;
using ProxyGateway.StreamingFallback.Attempts;
using ProxyGateway.StreamingFallback.Configuration;
using Yarp.ReverseProxy.Transforms;
using Yarp.ReverseProxy.Transforms.Builder;

namespace ProxyGateway.StreamingFallback.Transforms;

/// <summary>An upstream that echoes what it was sent must not tell the client the gateway's key: a response header that holds it is dropped.</summary>
internal sealed class CredentialTransform : GatewayTransform
{
    public override void Apply(TransformBuilderContext context) => context.AddResponseTransform(static transform =>
    {
        if (UpstreamCall.Of(transform.HttpContext)?.Cluster.Credential is { } credential)
        {
            Remove(credential, transform.HttpContext.Response.Headers);
        }

        return default;
    });

    private static void Remove(ClusterCredential credential, IHeaderDictionary headers)
    {
        foreach (var name in headers.Where(h => h.Value.Any(v => v?.Contains(credential.Secret, StringComparison.Ordinal) == true)).Select(h => h.Key).ToList())
        {
            headers.Remove(name);
        }
    }
}
