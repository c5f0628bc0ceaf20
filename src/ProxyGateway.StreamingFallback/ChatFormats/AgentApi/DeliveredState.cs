using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text.Json;

namespace ProxyGateway.StreamingFallback.ChatFormats.AgentApi;

/// <summary>
/// What a client knows of an agent from its events, so that the state the agent tells anew after a reconnect is passed on only as
/// far as it is news. A message event carries the whole message under its number, a status event the whole status: what is passed
/// twice does no harm. An error event is shown to a person each time, so it must not be passed twice. Pure.
/// </summary>
/// <remarks>Kept as digests: the bound is on their number, not on the length of a conversation.</remarks>
internal sealed class DeliveredState
{
    /// <summary>Beyond it a message is passed on whether it is news or not.</summary>
    private const int MaxMessages = 8192;

    /// <summary>agentapi itself keeps 100 errors for who comes late.</summary>
    private const int MaxErrors = 256;

    private readonly Dictionary<long, UInt128> _messages = [];
    private readonly HashSet<UInt128> _errors = [];
    private readonly Queue<UInt128> _errorOrder = new();
    private UInt128? _status;
    private UInt128? _screen;
    private long _lastMessage = -1;
    private long _lastReplayed = -1;
    private bool _hasReconnected;
    private bool _isReplaying;

    /// <summary>
    /// The agent has begun another conversation: it did not tell anew what the client has. Its updates would be mixed with messages
    /// that are no more.
    /// </summary>
    public bool IsLost { get; private set; }

    /// <summary>A new connection begins, and with it the agent tells its state anew: messages, then the status.</summary>
    public void BeginReplay()
    {
        _hasReconnected = true;
        _isReplaying = true;
        _lastReplayed = -1;
    }

    /// <summary>Takes an event that is about to be passed on; false where the client has it already, or must not have it.</summary>
    public bool TryTake(in StreamEvent e)
    {
        if (!e.HasData)
        {
            return true;
        }

        if (e.Type.SequenceEqual("message_update"u8))
        {
            return TryTakeMessage(e.Data);
        }

        if (e.Type.SequenceEqual("status_change"u8))
        {
            IsLost |= _isReplaying && _lastReplayed < _lastMessage;
            _isReplaying = false;
            return !IsLost && IsNews(ref _status, e.Data);
        }

        return e.Type.SequenceEqual("screen"u8) ? IsNews(ref _screen, e.Data)
            : !e.Type.SequenceEqual("agent_error"u8) || TryTakeError(Digest(e.Data));
    }

    private bool TryTakeMessage(ReadOnlySpan<byte> data)
    {
        if (!TryReadNumber(data, out var number))
        {
            return true;
        }

        _lastReplayed = Math.Max(_lastReplayed, number);
        _lastMessage = Math.Max(_lastMessage, number);
        var digest = Digest(data);
        if (_messages.TryGetValue(number, out var known))
        {
            _messages[number] = digest;
            return !_hasReconnected || known != digest;
        }

        if (_messages.Count < MaxMessages)
        {
            _messages.Add(number, digest);
        }

        return true;
    }

    private bool TryTakeError(UInt128 digest)
    {
        if (!_errors.Add(digest))
        {
            return !_hasReconnected;
        }

        _errorOrder.Enqueue(digest);
        if (_errorOrder.Count > MaxErrors)
        {
            _errors.Remove(_errorOrder.Dequeue());
        }

        return true;
    }

    private bool IsNews(ref UInt128? last, ReadOnlySpan<byte> data)
    {
        var digest = Digest(data);
        var isNews = !_hasReconnected || last != digest;
        last = digest;
        return isNews;
    }

    // Of the kind that nobody can bring to collide: a message that is taken for another one would be lost.
    private static UInt128 Digest(ReadOnlySpan<byte> data)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(data, hash);
        return BinaryPrimitives.ReadUInt128LittleEndian(hash);
    }

    private static bool TryReadNumber(ReadOnlySpan<byte> data, out long number)
    {
        number = -1;
        var reader = new Utf8JsonReader(data);
        try
        {
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
            {
                return false;
            }

            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                var isNumber = reader.ValueTextEquals("id"u8);
                reader.Read();
                if (isNumber)
                {
                    return reader.TokenType == JsonTokenType.Number && reader.TryGetInt64(out number);
                }

                reader.Skip();
            }
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // Not an event of this format: not ours to judge.
        }

        return false;
    }
}
