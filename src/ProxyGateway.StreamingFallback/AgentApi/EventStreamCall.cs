using Microsoft.Net.Http.Headers;
using ProxyGateway.StreamingFallback.Attempts;
using ProxyGateway.StreamingFallback.Buffers;
using ProxyGateway.StreamingFallback.CircuitBreaking;
using ProxyGateway.StreamingFallback.Guard;
using ProxyGateway.StreamingFallback.Telemetry;
using Yarp.ReverseProxy.Forwarder;

namespace ProxyGateway.StreamingFallback.AgentApi;

/// <summary>
/// One connection of an event stream. The first one's answer is the client's, whatever it is; of a later one only an event stream will
/// do.
/// </summary>
internal sealed class EventStreamCall : AgentCall
{
    private const string EventStream = "text/event-stream";

    private readonly AgentExchange _exchange;
    private readonly EventRelay _relay;
    private readonly CircuitPermit? _permit;
    private readonly Action? _onRejoined;
    private readonly PooledBuffer _output = new();
    private bool? _isStream;

    /// <summary>The first connection, which the circuit hears of.</summary>
    public EventStreamCall(AgentExchange exchange, EventRelay relay, CircuitPermit permit, CancellationToken leaving)
        : base(exchange, leaving)
    {
        (_exchange, _relay, _permit) = (exchange, relay, permit);
    }

    /// <summary>A later connection, which must have events by <paramref name="deadline"/> (a timestamp).</summary>
    public EventStreamCall(AgentExchange exchange, EventRelay relay, long deadline, Action onRejoined, CancellationToken leaving)
        : base(exchange, leaving)
    {
        (_exchange, _relay, _onRejoined) = (exchange, relay, onRejoined);
        Clock.SetDeadline(deadline);
    }

    /// <summary>Whether events came over this connection: it stood.</summary>
    public bool HasEvents { get; private set; }

    public TimeSpan Age => _exchange.Time.GetElapsedTime(StartedAt);

    /// <summary>A stream without end is cut some day, by a restart if by nothing else: who sent events is not ill.</summary>
    public override bool BlamesDestination => base.BlamesDestination && !HasEvents;

    private bool IsFirst => _permit is not null;

    public override void OnStatus(int status)
    {
        // A later connection has its state to tell; a client that waits does not wait for headers.
        if (IsFirst)
        {
            base.OnStatus(status);
        }
    }

    public override ValueTask OnBytesAsync(ReadOnlyMemory<byte> bytes)
    {
        if (_isStream ??= IsSuccess && Features.Headers[HeaderNames.ContentType].ToString().StartsWith(EventStream, StringComparison.OrdinalIgnoreCase))
        {
            return RelayAsync(bytes);
        }

        if (IsFirst)
        {
            return PassAsync(bytes);
        }

        Cancel();
        return default;
    }

    public override void Dispose()
    {
        base.Dispose();
        _output.Dispose();
    }

    protected override AttemptOutcome Judge(IForwarderErrorFeature? error)
    {
        // What ends a call from here makes YARP report an error that is none of the upstream's.
        if (_relay.Fault != FaultKind.None)
        {
            return Failed(new Fault(_relay.Fault, FaultPhase.Content));
        }

        if (!IsFirst && _isStream is false)
        {
            return Failed(IsSuccess ? new Fault(FaultKind.WrongContentType, FaultPhase.Headers) : new Fault(FaultKind.HttpStatus, FaultPhase.Headers, Features.StatusCode));
        }

        var outcome = base.Judge(error);
        return outcome.Result switch
        {
            // However politely it ended: a stream without end has no end.
            AttemptResult.Complete when _isStream is true => Failed(new Fault(HasEvents ? FaultKind.EndedEarly : FaultKind.EmptyStream, FaultPhase.Content)),
            AttemptResult.Complete when !IsFirst => Failed(new Fault(FaultKind.EmptyStream, FaultPhase.Headers)),
            AttemptResult.Answer when !IsFirst => Failed(outcome.Fault),
            _ => outcome,
        };
    }

    private static AttemptOutcome Failed(Fault fault) => new(AttemptResult.Failed, fault);

    private async ValueTask RelayAsync(ReadOnlyMemory<byte> bytes)
    {
        var (seen, passed) = (_relay.EventsSeen, _relay.EventsPassed);
        _relay.Push(bytes.Span, _output);
        var now = Clock.Touch();
        if (_relay.EventsSeen != seen && !HasEvents)
        {
            OnConnected(now);
        }

        if (_relay.EventsPassed != passed)
        {
            _exchange.OnContent(_relay.EventsPassed - passed, now);
        }

        if (_output.Length > 0)
        {
            await DeliverAsync();
        }

        if (_relay.Fault != FaultKind.None)
        {
            Cancel();
        }
    }

    private void OnConnected(long now)
    {
        HasEvents = true;
        _permit?.OnFirstContent(Age);
        _permit?.OnSuccess();
        _onRejoined?.Invoke();
        Clock.Stop();
        Clock.ClearDeadline();
        if (Cluster.Reconnect.Idle > TimeSpan.Zero)
        {
            Clock.Start(FaultKind.IdleTimeout, Cluster.Reconnect.Idle, now);
        }
    }

    private async ValueTask DeliverAsync()
    {
        var client = _exchange.Client;
        await client.TakeTurnAsync();
        client.CommitStream(EventStream, Features.Headers);
        Clock.Pause();
        await client.WriteAndFlushAsync(_output.Memory);
        Clock.Resume();
        _output.Truncate(0);
        client.YieldTurn();
    }
}
