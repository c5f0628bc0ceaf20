using Microsoft.AspNetCore.Http;

namespace ProxyGateway.StreamingFallback.Attempts;

/// <content>An answer that is judged as a whole, or passed through because it cannot be.</content>
internal sealed partial class Attempt
{
    /// <summary>False where the answer turned out too long to keep and goes through from here on.</summary>
    private bool Keep(ReadOnlySpan<byte> bytes)
    {
        var isSuccess = Features.StatusCode is >= 200 and < 300;
        // Where the gateway's own key was sent, an error answer is read whole: it may quote the key.
        var limit = isSuccess || Cluster.Credential is not null ? _exchange.Limits.MaxAnswerBytes : MaxErrorBodyBytes;
        if (Kept.Length + bytes.Length <= limit && _exchange.Memory.TryTake(bytes.Length))
        {
            _held += bytes.Length;
            Kept.Append(bytes);
            return true;
        }

        _truncated = true;
        var isAnswer = isSuccess ? !_exchange.Request.Streaming : !Cluster.RetryStatuses.Contains(Features.StatusCode);
        if (isAnswer && IsFirst && !_exchange.Client.Committed && MayDeliver())
        {
            Kept.Append(bytes);
            _handling = Handling.PassThrough;
            Clock.Stop();
            return false;
        }

        // Nothing more of it is wanted, and a packed one may have no end. YARP makes a 502 of what is cancelled.
        _handling = Handling.Discard;
        _cutAnswer = (Features.StatusCode, new HeaderDictionary(Features.Headers.ToDictionary()));
        Cancel();
        return true;
    }

    private async ValueTask PassAsync(ReadOnlyMemory<byte> bytes)
    {
        var client = _exchange.Client;
        if (!_delivering)
        {
            await client.TakeTurnAsync();
            _delivering = true;
            client.Commit(Features.StatusCode, Features.Headers);
        }

        if (Kept.Length > 0)
        {
            await client.WriteAsync(Kept.Memory);
            Kept.Clear();
        }

        await client.WriteAsync(bytes);
    }
}
