using ProxyGateway.StreamingFallback.Buffers;

namespace ProxyGateway.StreamingFallback.ChatFormats.A2A;

/// <summary>An artifact as far as it was delivered: its text parts, joined.</summary>
/// <param name="id">The decoded <c>artifactId</c>.</param>
internal sealed class DeliveredArtifact(byte[] id) : IDisposable
{
    private (int Text, bool Closed) _mark;

    public byte[] Id => id;

    public PooledBuffer Text { get; } = new();

    /// <summary>Whether its last chunk was delivered.</summary>
    public bool Closed { get; set; }

    public void Mark() => _mark = (Text.Length, Closed);

    public void BackToMark()
    {
        Text.Truncate(_mark.Text);
        Closed = _mark.Closed;
    }

    public void Dispose() => Text.Dispose();
}
