using System.Net;
using System.Net.Http;

namespace ProxyGateway.StreamingFallback.Transforms;

/// <summary>The body of an upstream's answer behind a stream of ours. Of unknown length; owns <paramref name="content"/>.</summary>
internal abstract class WrappedContent(HttpContent content) : HttpContent
{
    /// <summary>The stream that is read in the place of <paramref name="body"/>, and owns it.</summary>
    protected abstract Stream Wrap(Stream body);

    protected override Task<Stream> CreateContentReadStreamAsync() => CreateContentReadStreamAsync(CancellationToken.None);

    protected override async Task<Stream> CreateContentReadStreamAsync(CancellationToken cancellationToken) => Wrap(await content.ReadAsStreamAsync(cancellationToken));

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
