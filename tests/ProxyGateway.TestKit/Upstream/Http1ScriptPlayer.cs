using System.Globalization;
using System.Text;
using ProxyGateway.TestKit.Contract;

namespace ProxyGateway.TestKit.Upstream;

/// <summary>Plays one script on one HTTP/1.1 connection.</summary>
internal sealed class Http1ScriptPlayer(Http1Connection connection, RecordedExchange exchange)
{
    private BodyFraming _framing;
    private bool _bodyAllowed = true;

    /// <summary>Plays; true where the connection may carry another request.</summary>
    public async Task<bool> PlayAsync(UpstreamScript script, CancellationToken cancel)
    {
        try
        {
            foreach (var step in script.Steps)
            {
                if (await PlayAsync(step, cancel).ConfigureAwait(false) is { } keepAlive)
                {
                    return keepAlive;
                }
            }

            // A script that just stops leaves the body where it is.
            connection.Close();
            exchange.End(AttemptEnding.Broken);
            return false;
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            exchange.End(AttemptEnding.CancelledByGateway);
            return false;
        }
        catch (OperationCanceledException)
        {
            exchange.End(AttemptEnding.LeftOpen);
            return false;
        }
    }

    /// <summary>Plays one step; not null where it was the last.</summary>
    private async Task<bool?> PlayAsync(UpstreamStep step, CancellationToken cancel)
    {
        switch (step)
        {
            case WriteHead head:
                await WriteHeadAsync(head, cancel).ConfigureAwait(false);
                return null;
            case WriteBody body:
                if (connection.PeerHasLeft)
                {
                    exchange.End(AttemptEnding.CancelledByGateway);
                    return false;
                }

                await connection.WriteAsync(Framed(body.Bytes), cancel).ConfigureAwait(false);
                exchange.BodySent(body.Bytes.Span);
                return null;
            case WriteRaw raw:
                await connection.WriteAsync(raw.Bytes, cancel).ConfigureAwait(false);
                return null;
            case BadChunk:
                await connection.WriteAsync("zz\r\n"u8.ToArray(), cancel).ConfigureAwait(false);
                connection.Close();
                exchange.End(AttemptEnding.Broken);
                return false;
            case Delay delay:
                return await LeftAsync(Task.Delay(delay.Time, cancel), AttemptEnding.CancelledByGateway, cancel).ConfigureAwait(false) ? false : null;
            case WaitFor wait:
                return await LeftAsync(wait.Signal, AttemptEnding.CancelledByGateway, cancel).ConfigureAwait(false) ? false : null;
            case Stall stall:
                if (!await LeftAsync(Task.Delay(stall.Limit, cancel), AttemptEnding.Stalled, cancel).ConfigureAwait(false))
                {
                    cancel.ThrowIfCancellationRequested();
                    exchange.End(AttemptEnding.LeftOpen);
                    connection.Reset();
                }

                return false;
            case EndClean:
                return await EndCleanAsync(cancel).ConfigureAwait(false);
            case Reset:
                exchange.End(AttemptEnding.Broken, mayHaveLostBytes: true);
                connection.Reset();
                return false;
            case CloseWithoutTerminator:
                exchange.End(AttemptEnding.Broken);
                connection.Close();
                return false;
            default:
                throw new NotSupportedException(step.ToString());
        }
    }

    private async Task<bool> LeftAsync(Task wait, AttemptEnding ending, CancellationToken cancel)
    {
        if (!await connection.PeerLeavesWithinAsync(wait, cancel).ConfigureAwait(false))
        {
            return false;
        }

        exchange.End(ending);
        return true;
    }

    private async Task WriteHeadAsync(WriteHead head, CancellationToken cancel)
    {
        _framing = head.Framing;
        _bodyAllowed = head.Status is not (204 or 304);
        var text = new StringBuilder($"HTTP/1.1 {head.Status} Scripted\r\n");
        foreach (var (name, value) in head.Headers)
        {
            text.Append(CultureInfo.InvariantCulture, $"{name}: {value}\r\n");
        }

        if (_bodyAllowed)
        {
            text.Append(_framing switch
            {
                BodyFraming.Chunked => "Transfer-Encoding: chunked\r\n",
                BodyFraming.ContentLength => $"Content-Length: {head.Length}\r\n",
                _ => "Connection: close\r\n",
            });
        }

        await connection.WriteAsync(Encoding.Latin1.GetBytes(text.Append("\r\n").ToString()), cancel).ConfigureAwait(false);
        exchange.HeadSent(head);
    }

    private ReadOnlyMemory<byte> Framed(ReadOnlyMemory<byte> bytes)
    {
        if (_framing != BodyFraming.Chunked || bytes.Length == 0)
        {
            return bytes;
        }

        return (byte[])[.. Encoding.ASCII.GetBytes($"{bytes.Length:x}\r\n"), .. bytes.Span, .. "\r\n"u8];
    }

    private async Task<bool> EndCleanAsync(CancellationToken cancel)
    {
        if (_framing == BodyFraming.Chunked && _bodyAllowed)
        {
            await connection.WriteAsync("0\r\n\r\n"u8.ToArray(), cancel).ConfigureAwait(false);
        }

        exchange.End(connection.PeerHasLeft ? AttemptEnding.CancelledByGateway : AttemptEnding.Clean);
        if (_framing != BodyFraming.CloseDelimited)
        {
            return true;
        }

        connection.Close();
        return false;
    }
}
