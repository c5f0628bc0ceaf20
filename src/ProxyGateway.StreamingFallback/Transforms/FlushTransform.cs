using System.Net.Http;
using ProxyGateway.StreamingFallback.Attempts;
using ProxyGateway.StreamingFallback.ChatFormats;
using Yarp.ReverseProxy.Transforms;
using Yarp.ReverseProxy.Transforms.Builder;

namespace ProxyGateway.StreamingFallback.Transforms;

/// <summary>
/// After its first content a stream is flushed when the next read of the upstream would wait, not after each read: what has arrived
/// together leaves together, the end of the body with the last events.
/// </summary>
internal sealed class FlushTransform : GatewayTransform
{
    public override void Apply(TransformBuilderContext context) => context.AddResponseTransform(static transform =>
    {
        if (transform.ProxyResponse is { IsSuccessStatusCode: true } response && UpstreamCall.Of(transform.HttpContext) is Attempt { Mode: AttemptMode.Streaming } attempt)
        {
            response.Content = new FlushingContent(response.Content, attempt);
        }

        return default;
    });

    private sealed class FlushingContent(HttpContent content, Attempt attempt) : WrappedContent(content)
    {
        protected override Stream Wrap(Stream body) => new FlushingBody(body, attempt);
    }
}
