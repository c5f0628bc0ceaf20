using System.IO.Compression;
using System.Net;
using Microsoft.Net.Http.Headers;
using ProxyGateway.StreamingFallback.Attempts;
using Yarp.ReverseProxy.Transforms;
using Yarp.ReverseProxy.Transforms.Builder;

namespace ProxyGateway.StreamingFallback.Transforms;

/// <summary>An upstream that compresses although <c>identity</c> was asked for: what is watched must be readable, so it is unpacked.</summary>
internal sealed class DecompressionTransform : GatewayTransform
{
    public override void Apply(TransformBuilderContext context) => context.AddResponseTransform(static transform =>
    {
        if (transform.ProxyResponse is { } response && response.Content.Headers.NonValidated.Contains(HeaderNames.ContentEncoding)
            && UpstreamCall.Of(transform.HttpContext) is not null && response.Content.Headers.ContentEncoding is { Count: > 0 } encodings)
        {
            Unpack(transform, response, [.. encodings]);
        }

        return default;
    });

    private static void Unpack(ResponseTransformContext transform, HttpResponseMessage response, string[] encodings)
    {
        var packed = response.Content;
        Func<Stream, Stream>? unpack = encodings is [var only]
            ? only.ToLowerInvariant() switch
            {
                "gzip" or "x-gzip" => s => new GZipStream(s, CompressionMode.Decompress),
                "deflate" => s => new ZLibStream(s, CompressionMode.Decompress),
                "br" => s => new BrotliStream(s, CompressionMode.Decompress),
                _ => null,
            }
            : null;
        if (unpack is null)
        {
            return;
        }

        response.Content = new UnpackedContent(packed, unpack);
        transform.HttpContext.Response.Headers.ContentEncoding = default;
        transform.HttpContext.Response.Headers.ContentLength = null;
    }

    /// <summary>The body of an upstream's answer behind what unpacks it. Of unknown length; owns <paramref name="packed"/>.</summary>
    private sealed class UnpackedContent(HttpContent packed, Func<Stream, Stream> unpack) : HttpContent
    {
        protected override Task<Stream> CreateContentReadStreamAsync() => CreateContentReadStreamAsync(CancellationToken.None);

        protected override async Task<Stream> CreateContentReadStreamAsync(CancellationToken cancellationToken) => unpack(await packed.ReadAsStreamAsync(cancellationToken));

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
                packed.Dispose();
            }

            base.Dispose(disposing);
        }
    }
}
