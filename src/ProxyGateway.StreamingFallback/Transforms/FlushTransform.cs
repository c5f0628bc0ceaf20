using System.Net;
using System.Net.Http;
using ProxyGateway.StreamingFallback.Attempts;
using ProxyGateway.StreamingFallback.ChatFormats;
using Yarp.ReverseProxy.Transforms;
using Yarp.ReverseProxy.Transforms.Builder;

namespace ProxyGateway.StreamingFallback.Transforms;

/// <summary>
/// A stream is flushed when the next read of the upstream would wait, not after each read: what has arrived together leaves
/// together, the end of the body with the last events, and nobody gets anything later for it.
/// </summary>
internal sealed class FlushTransform : ITransformProvider
{
    public void ValidateRoute(TransformRouteValidationContext context)
    {
    }

    public void ValidateCluster(TransformClusterValidationContext context)
    {
    }

    public void Apply(TransformBuilderContext context) => context.AddResponseTransform(static transform =>
    {
        if (transform.ProxyResponse is { IsSuccessStatusCode: true } response && UpstreamCall.Of(transform.HttpContext) is Attempt { Mode: AttemptMode.Streaming } attempt)
        {
            response.Content = new FlushingContent(response.Content, attempt);
        }

        return default;
    });

    private sealed class FlushingContent(HttpContent content, Attempt attempt) : HttpContent
    {
        protected override Task<Stream> CreateContentReadStreamAsync() => CreateContentReadStreamAsync(CancellationToken.None);

        protected override async Task<Stream> CreateContentReadStreamAsync(CancellationToken cancellationToken) =>
            new FlushingBody(await content.ReadAsStreamAsync(cancellationToken), attempt);

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            await using var body = await CreateContentReadStreamAsync();
            await body.CopyToAsync(stream);
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }

        protected override void Dispose(bool disposing)
        {
            if (disposing)
            {
                content.Dispose();
            }

            base.Dispose(disposing);
        }
    }
}
