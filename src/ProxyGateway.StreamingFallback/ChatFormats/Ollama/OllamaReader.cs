using System.Text.Json;
using ProxyGateway.StreamingFallback.Buffers;
using ProxyGateway.StreamingFallback.ChatFormats.Json;
using ProxyGateway.StreamingFallback.Configuration;

namespace ProxyGateway.StreamingFallback.ChatFormats.Ollama;

/// <summary>Reads the lines of an Ollama chat stream (Ollama API reference, "Generate a chat completion").</summary>
internal sealed class OllamaReader(ChatRequest request, int maxDeliveredBytes, TerminalProfile terminal) : ChatStreamReader
{
    /// <summary>Longer values are not an identity but an attempt to make the gateway keep something.</summary>
    private const int MaxIdentityBytes = 1024;

    private readonly PooledBuffer _thinking = new();
    private readonly PooledBuffer _content = new();
    private readonly List<byte[]> _toolCalls = [];
    private readonly KeptText _kept = new(maxDeliveredBytes);
    private bool _anyContent;
    private bool _anyToolCall;
    private bool _done;
    private bool _finished;

    public ChatRequest Request => request;

    /// <summary>The first line's <c>model</c> as raw JSON.</summary>
    public byte[]? Model { get; private set; }

    /// <summary>The first line's <c>created_at</c> as raw JSON.</summary>
    public byte[]? CreatedAt { get; private set; }

    public ReadOnlySpan<byte> Thinking => _thinking.Span;

    public ReadOnlySpan<byte> Content => _content.Span;

    /// <summary>The elements of <c>tool_calls</c> as raw JSON. A call comes whole, never in pieces.</summary>
    public IReadOnlyList<byte[]> ToolCalls => _toolCalls;

    public override bool IsFinished => _finished;

    public override bool IsDone => _done;

    public override bool CanSplice => _kept.IsComparable;

    public override int KeptBytes => _kept.Bytes;

    public override DeliveredKind Delivered =>
        _anyToolCall ? DeliveredKind.ToolCallComplete : _anyContent ? DeliveredKind.Text : DeliveredKind.Nothing;

    public override EventMeaning Read(in StreamEvent e)
    {
        var data = e.Data.Trim(" \t\r\n"u8);
        if (data.IsEmpty)
        {
            return EventMeaning.Lifecycle;
        }

        var (thinking, content, toolCalls) = (_thinking.Length, _content.Length, _toolCalls.Count);
        _kept.Mark();
        var line = new LineParser(this);
        EventMeaning meaning;
        try
        {
            meaning = line.Parse(data);
        }
        catch (Exception ex) when (ex is JsonException or InvalidOperationException or FormatException)
        {
            meaning = EventMeaning.Malformed;
        }

        if (meaning is EventMeaning.Error or EventMeaning.Malformed)
        {
            _thinking.Truncate(thinking);
            _content.Truncate(content);
            _toolCalls.RemoveRange(toolCalls, _toolCalls.Count - toolCalls);
            _kept.BackToMark();
            return meaning;
        }

        line.Keep();
        return meaning;
    }

    public override void Dispose()
    {
        _thinking.Dispose();
        _content.Dispose();
    }

    /// <summary>Reads one line into the reader's buffers. A struct on the stack: nothing is allocated.</summary>
    private ref struct LineParser(OllamaReader owner)
    {
        private bool _content;
        private bool _toolCall;
        private bool _done;
        private bool _reason;
        private ReadOnlySpan<byte> _model;
        private ReadOnlySpan<byte> _createdAt;

        public EventMeaning Parse(ReadOnlySpan<byte> json)
        {
            var reader = new Utf8JsonReader(json);
            reader.Read();
            if (reader.TokenType != JsonTokenType.StartObject)
            {
                return EventMeaning.Malformed;
            }

            var seen = 0;
            var isError = false;
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                if (reader.ValueTextEquals("message"u8))
                {
                    Members.OnlyOnce(ref seen, 1);
                    reader.Read();
                    if (reader.TokenType == JsonTokenType.StartObject)
                    {
                        ParseMessage(ref reader, json);
                    }
                }
                else if (reader.ValueTextEquals("done"u8))
                {
                    Members.OnlyOnce(ref seen, 2);
                    reader.Read();
                    _done = reader.TokenType == JsonTokenType.True;
                }
                else if (reader.ValueTextEquals("done_reason"u8))
                {
                    Members.OnlyOnce(ref seen, 4);
                    reader.Read();
                    _reason = reader.TokenType == JsonTokenType.String && reader.ValueSpan.Length > 0;
                }
                else if (reader.ValueTextEquals("error"u8))
                {
                    Members.OnlyOnce(ref seen, 8);
                    reader.Read();
                    isError = reader.TokenType != JsonTokenType.Null;
                }
                else if (reader.ValueTextEquals("model"u8))
                {
                    Members.OnlyOnce(ref seen, 16);
                    reader.Read();
                    _model = reader.TokenType == JsonTokenType.String && JsonText.IsText(ref reader) ? Members.TakeRaw(ref reader, json) : default;
                }
                else if (reader.ValueTextEquals("created_at"u8))
                {
                    Members.OnlyOnce(ref seen, 32);
                    reader.Read();
                    _createdAt = reader.TokenType == JsonTokenType.String && JsonText.IsText(ref reader) ? Members.TakeRaw(ref reader, json) : default;
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
                owner.Complaint = OllamaError.Read(json);
                return EventMeaning.Error;
            }

            return (_content ? EventMeaning.Content : 0) | (_done ? EventMeaning.Done : 0);
        }

        public readonly void Keep()
        {
            owner._anyContent |= _content;
            owner._anyToolCall |= _toolCall;
            owner.Model ??= _model.Length is > 0 and <= MaxIdentityBytes ? _model.ToArray() : null;
            owner.CreatedAt ??= _createdAt.Length is > 0 and <= MaxIdentityBytes ? _createdAt.ToArray() : null;
            owner._done |= _done;
            owner._finished |= _done && (_reason || owner.Terminal != TerminalProfile.FinishReason);
        }

        private void ParseMessage(ref Utf8JsonReader reader, ReadOnlySpan<byte> json)
        {
            var seen = 0;
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                if (reader.ValueTextEquals("content"u8))
                {
                    Members.OnlyOnce(ref seen, 1);
                    TakeText(ref reader, owner._content);
                }
                else if (reader.ValueTextEquals("thinking"u8))
                {
                    Members.OnlyOnce(ref seen, 2);
                    TakeText(ref reader, owner._thinking);
                }
                else if (reader.ValueTextEquals("tool_calls"u8))
                {
                    Members.OnlyOnce(ref seen, 4);
                    TakeToolCalls(ref reader, json);
                }
                else if (reader.ValueTextEquals("images"u8))
                {
                    reader.Read();
                    if (reader.TokenType == JsonTokenType.StartArray)
                    {
                        _content = true;
                        owner._kept.SetIncomparable();
                    }
                }
                else
                {
                    reader.Read();
                }

                reader.Skip();
            }
        }

        private void TakeText(ref Utf8JsonReader reader, PooledBuffer buffer)
        {
            reader.Read();
            if (reader.TokenType == JsonTokenType.String && reader.ValueSpan.Length > 0)
            {
                _content = true;
                owner._kept.Append(ref reader, buffer);
            }
        }

        private void TakeToolCalls(ref Utf8JsonReader reader, ReadOnlySpan<byte> json)
        {
            reader.Read();
            if (reader.TokenType != JsonTokenType.StartArray)
            {
                return;
            }

            while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
            {
                _content = true;
                _toolCall = true;
                if (owner._kept.Keep(Members.TakeRaw(ref reader, json)) is { } call)
                {
                    owner._toolCalls.Add(call);
                }
            }
        }
    }

    private TerminalProfile Terminal => terminal;
}
