using System.IO.Pipelines;
using ProxyGateway.StreamingFallback.Guard;
using ProxyGateway.StreamingFallback.Telemetry;

namespace ProxyGateway.StreamingFallback.Attempts;

/// <content>A stream: its bytes go through the guard, and are the client's once one of its events is content.</content>
internal sealed partial class Attempt
{
    private ValueTask Watch(ReadOnlyMemory<byte> bytes)
    {
        var guard = _guard!;
        var (state, content, passed) = (guard.State, guard.ContentEvents, guard.BytesPassed);
        guard.Push(bytes.Span, _exchange.Client.Writer);
        if (guard.ContentEvents != content)
        {
            _exchange.OnContent(guard.ContentEvents - content, Clock.Touch());
        }

        if (guard.State != state)
        {
            OnGuardState(guard.State);
        }

        if (guard.BytesPassed == passed)
        {
            return default;
        }

        _exchange.Client.Count(guard.BytesPassed - passed);
        // Once per read of the upstream, however many events it held. Waits only for a client that does not read.
        return _exchange.Client.Aborted.IsCancellationRequested ? default : PauseWhile(_exchange.Client.FlushAsync());
    }

    /// <summary>While the client does not read, no clock runs for the upstream.</summary>
    private ValueTask PauseWhile(ValueTask<FlushResult> flush)
    {
        if (flush.IsCompletedSuccessfully)
        {
            _ = flush.Result;
            return default;
        }

        return FinishFlushAsync(flush);
    }

    private async ValueTask FinishFlushAsync(ValueTask<FlushResult> flush)
    {
        Clock.Pause();
        await flush;
        Clock.Resume();
    }

    private async ValueTask WatchHeldAsync(ReadOnlyMemory<byte> bytes)
    {
        var guard = _guard!;
        var arrivedAt = _exchange.Time.GetTimestamp();
        _firstChunkAt = _firstChunkAt == 0 ? arrivedAt : _firstChunkAt;
        guard.Push(bytes.Span, Rest);
        if (guard.BytesPassed > 0)
        {
            if (!MayDeliver())
            {
                _handling = Handling.Discard;
                Rest.Clear();
                return;
            }

            await DeliverRestAsync();
            Clock.ClearDeadline();
            var now = _exchange.Time.GetTimestamp();
            Clock.Start(FaultKind.IdleTimeout, Cluster.IdleTimeout, now);
            _exchange.OnFirstContent(this, guard.ContentEvents, now);
            _exchange.OnAnswered(this, arrivedAt);
        }

        OnGuardState(guard.State);
    }

    /// <summary>Sends what lies in <see cref="Rest"/>; the stream is committed with this attempt's headers where it was not yet.</summary>
    public async ValueTask DeliverRestAsync()
    {
        var client = _exchange.Client;
        await client.TakeTurnAsync();
        _delivering = true;
        if (_guard is not null)
        {
            _exchange.Delivered ??= _guard.Reader;
        }

        client.CommitStream(_exchange.Route.Format.StreamContentType, Features.Headers);
        Features.ForgetHeaders();
        var rest = Rest.Memory;
        if (client.HasBeaten && rest.Span.StartsWith("\uFEFF"u8))
        {
            // A byte order mark counts only at the very start; later it hides the first field's name.
            rest = rest[3..];
        }

        if (!client.Aborted.IsCancellationRequested)
        {
            await PauseWhile(client.WriteAndFlushAsync(rest));
        }

        Rest.Clear();
    }

    private void OnGuardState(GuardState state)
    {
        if (state == GuardState.Faulted)
        {
            Cancel();
        }
        else if (state is GuardState.Finished or GuardState.Done)
        {
            Clock.Start(FaultKind.IdleTimeout, state == GuardState.Done ? EndGrace : FinishGrace, _exchange.Time.GetTimestamp());
        }
    }
}
