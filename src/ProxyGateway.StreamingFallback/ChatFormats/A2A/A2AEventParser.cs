using System.Text.Json;
using ProxyGateway.StreamingFallback.Buffers;
using ProxyGateway.StreamingFallback.ChatFormats.Json;

namespace ProxyGateway.StreamingFallback.ChatFormats.A2A;

/// <summary>Reads one event into the reader's artifacts. A struct on the stack: nothing is allocated for text of a known artifact.</summary>
internal ref struct A2AEventParser(A2AReader owner, ReadOnlySpan<byte> json)
{
    /// <summary>Longer values are not an identity but an attempt to make the gateway keep something.</summary>
    private const int MaxIdentityBytes = 1024;

    private readonly ReadOnlySpan<byte> _json = json;
    private bool _content;
    private bool _ended;
    private bool _final;
    private Range _plainText;
    private PooledBuffer? _plainChannel;
    private bool _notOnePlainText;

    public ReadOnlySpan<byte> TaskId { get; private set; }

    public ReadOnlySpan<byte> ContextId { get; private set; }

    public EventMeaning Parse()
    {
        var reader = new Utf8JsonReader(_json);
        reader.Read();
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            return EventMeaning.Malformed;
        }

        var seen = 0;
        var isError = false;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("result"u8))
            {
                Members.OnlyOnce(ref seen, 1);
                reader.Read();
                if (reader.TokenType == JsonTokenType.StartObject)
                {
                    ParseResult(ref reader);
                }
            }
            else if (reader.ValueTextEquals("error"u8))
            {
                Members.OnlyOnce(ref seen, 2);
                reader.Read();
                isError = reader.TokenType != JsonTokenType.Null;
            }
            else
            {
                reader.Read();
            }

            reader.Skip();
        }

        Members.AssertEnd(ref reader);
        if (isError)
        {
            return EventMeaning.Error;
        }

        if (seen == 0)
        {
            return EventMeaning.Malformed; // Neither a result nor an error: no JSON-RPC response.
        }

        return (_content ? EventMeaning.Content : 0)
            | (_ended || _final ? EventMeaning.Finish : 0)
            | (_final ? EventMeaning.Done : 0);
    }

    /// <summary>Remembers the event's shape where all it does is to add one plain text to the artifact that grows.</summary>
    public readonly void Learn(TextPattern pattern)
    {
        if (_plainChannel is not null && !_notOnePlainText)
        {
            pattern.Learn(_json, _plainText, _plainChannel);
        }
    }

    /// <summary>Walks over the result once and remembers where its members stand: the kind may come after what it explains.</summary>
    private void ParseResult(ref Utf8JsonReader reader)
    {
        Utf8JsonReader kind = default, status = default, artifact = default, artifacts = default, parts = default;
        ReadOnlySpan<byte> id = default, taskId = default;
        var (seen, final, append, lastChunk) = (0, false, false, false);
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("kind"u8))
            {
                kind = Members.Value(ref reader, ref seen, 1);
            }
            else if (reader.ValueTextEquals("id"u8))
            {
                id = Identity(ref reader, ref seen, 2);
            }
            else if (reader.ValueTextEquals("taskId"u8))
            {
                taskId = Identity(ref reader, ref seen, 4);
            }
            else if (reader.ValueTextEquals("contextId"u8))
            {
                ContextId = Identity(ref reader, ref seen, 8);
            }
            else if (reader.ValueTextEquals("status"u8))
            {
                status = Members.Value(ref reader, ref seen, 16);
            }
            else if (reader.ValueTextEquals("final"u8))
            {
                final = IsTrue(ref reader, ref seen, 32);
            }
            else if (reader.ValueTextEquals("artifact"u8))
            {
                artifact = Members.Value(ref reader, ref seen, 64);
            }
            else if (reader.ValueTextEquals("artifacts"u8))
            {
                artifacts = Members.Value(ref reader, ref seen, 128);
            }
            else if (reader.ValueTextEquals("append"u8))
            {
                append = IsTrue(ref reader, ref seen, 256);
            }
            else if (reader.ValueTextEquals("lastChunk"u8))
            {
                lastChunk = IsTrue(ref reader, ref seen, 512);
            }
            else if (reader.ValueTextEquals("parts"u8))
            {
                parts = Members.Value(ref reader, ref seen, 1024);
            }
            else
            {
                reader.Read();
            }

            reader.Skip();
        }

        if (kind.TokenType != JsonTokenType.String)
        {
            return;
        }

        if (kind.ValueTextEquals("artifact-update"u8))
        {
            TaskId = taskId;
            if (artifact.TokenType == JsonTokenType.StartObject)
            {
                TakeArtifact(ref artifact, append, lastChunk);
            }
        }
        else if (kind.ValueTextEquals("status-update"u8))
        {
            TaskId = taskId;
            ParseStatus(status);
            _final = final;
        }
        else if (kind.ValueTextEquals("task"u8))
        {
            TaskId = id;
            ParseTask(status, artifacts);
        }
        else if (kind.ValueTextEquals("message"u8))
        {
            // The agent's whole answer in place of a task.
            _final = true;
            ParseMessageParts(parts);
        }
    }

    private readonly ReadOnlySpan<byte> Identity(scoped ref Utf8JsonReader reader, scoped ref int seen, int member)
    {
        Members.OnlyOnce(ref seen, member);
        reader.Read();
        return reader.TokenType == JsonTokenType.String && reader.ValueSpan.Length <= MaxIdentityBytes ? Members.TakeRaw(ref reader, _json) : default;
    }

    private static bool IsTrue(scoped ref Utf8JsonReader reader, scoped ref int seen, int member)
    {
        Members.OnlyOnce(ref seen, member);
        reader.Read();
        return reader.TokenType == JsonTokenType.True;
    }

    private void ParseTask(Utf8JsonReader status, Utf8JsonReader artifacts)
    {
        var state = ParseStatus(status);
        // Only where a message waits for its answer does a waiting agent end the stream; who watches a task waits on.
        _ended = TaskStates.IsTerminal(state)
            || (TaskStates.IsInterrupted(state) && owner.Request.Rpc is { Method: JsonRpcCall.MessageStream });
        if (artifacts.TokenType != JsonTokenType.StartArray)
        {
            return;
        }

        while (artifacts.Read() && artifacts.TokenType == JsonTokenType.StartObject)
        {
            TakeArtifact(ref artifacts, append: false, isLast: false);
        }

        if (artifacts.TokenType != JsonTokenType.EndArray)
        {
            throw new JsonException();
        }
    }

    /// <summary>Reads the status of a task or an update; returns a reader on its state.</summary>
    private Utf8JsonReader ParseStatus(Utf8JsonReader status)
    {
        if (status.TokenType != JsonTokenType.StartObject)
        {
            return default;
        }

        if (Members.TryFind(status, "message"u8, out var message) && message.TokenType == JsonTokenType.StartObject
            && Members.TryFind(message, "parts"u8, out var parts))
        {
            ParseMessageParts(parts);
        }

        return Members.TryFind(status, "state"u8, out var state) ? state : default;
    }

    /// <summary>What an agent says beside its artifacts is told to the user, but stands nowhere in a later answer.</summary>
    private void ParseMessageParts(Utf8JsonReader parts)
    {
        if (parts.TokenType == JsonTokenType.StartArray && parts.Read() && parts.TokenType == JsonTokenType.StartObject)
        {
            _content = true;
            owner.Kept.SetIncomparable();
        }
    }

    private void TakeArtifact(ref Utf8JsonReader artifact, bool append, bool isLast)
    {
        Utf8JsonReader id = default, parts = default;
        var seen = 0;
        while (artifact.Read() && artifact.TokenType == JsonTokenType.PropertyName)
        {
            if (artifact.ValueTextEquals("artifactId"u8))
            {
                id = Members.Value(ref artifact, ref seen, 1);
            }
            else if (artifact.ValueTextEquals("parts"u8))
            {
                parts = Members.Value(ref artifact, ref seen, 2);
            }
            else
            {
                artifact.Read();
            }

            artifact.Skip();
        }

        var target = Target(ref id, append);
        if (parts.TokenType == JsonTokenType.StartArray)
        {
            while (parts.Read() && parts.TokenType == JsonTokenType.StartObject)
            {
                TakePart(ref parts, target?.Text);
            }

            if (parts.TokenType != JsonTokenType.EndArray)
            {
                throw new JsonException();
            }
        }

        _notOnePlainText |= isLast;
        if (target is not null)
        {
            target.Closed |= isLast;
        }
    }

    /// <summary>
    /// The artifact that grows: the last one delivered, or a new one. Null, and no longer comparable, where a client's
    /// artifact changes elsewhere: it is replaced, grew again after another began, or began before this stream.
    /// </summary>
    private DeliveredArtifact? Target(ref Utf8JsonReader id, bool append)
    {
        var isNamed = id.TokenType == JsonTokenType.String;
        var known = -1;
        for (var i = owner.Artifacts.Count - 1; i >= 0 && known < 0 && isNamed; i--)
        {
            known = id.ValueTextEquals(owner.Artifacts[i].Id) ? i : -1;
        }

        if (known >= 0 && append && known == owner.Artifacts.Count - 1 && !owner.Artifacts[known].Closed)
        {
            return owner.Artifacts[known];
        }

        _notOnePlainText = true;
        if (known >= 0 || append || !isNamed)
        {
            owner.Kept.SetIncomparable();
            return null;
        }

        using var decoded = new PooledBuffer();
        owner.Kept.Append(ref id, decoded);
        var added = new DeliveredArtifact(decoded.Span.ToArray());
        owner.Artifacts.Add(added);
        return added;
    }

    private void TakePart(ref Utf8JsonReader part, PooledBuffer? buffer)
    {
        Utf8JsonReader text = default;
        var seen = 0;
        while (part.Read() && part.TokenType == JsonTokenType.PropertyName)
        {
            if (part.ValueTextEquals("text"u8))
            {
                text = Members.Value(ref part, ref seen, 1);
            }
            else
            {
                part.Read();
            }

            part.Skip();
        }

        if (text.TokenType != JsonTokenType.String)
        {
            _content = _notOnePlainText = true;
            owner.Kept.SetIncomparable(); // A file or data.
        }
        else if (text.ValueSpan.Length > 0)
        {
            _content = true;
            if (buffer is not null)
            {
                _notOnePlainText |= _plainChannel is not null || text.ValueIsEscaped;
                _plainChannel = buffer;
                var start = (int)text.TokenStartIndex + 1;
                _plainText = start..(start + text.ValueSpan.Length);
                owner.Kept.Append(ref text, buffer);
            }
        }
    }
}
