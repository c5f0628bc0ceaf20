using System.Text.Json;
using System.Text.Unicode;
using ProxyGateway.StreamingFallback.Buffers;
using ProxyGateway.StreamingFallback.ChatFormats.Json;
using ProxyGateway.StreamingFallback.Configuration;

namespace ProxyGateway.StreamingFallback.ChatFormats.OpenAIChat;

/// <content>How one chunk is read, so that it can be taken back.</content>
internal sealed partial class OpenAIChatReader
{
    /// <summary>Reads one chunk into the reader so that it can be taken back. A struct on the stack: nothing is allocated.</summary>
    private ref struct ChunkParser(OpenAIChatReader owner)
    {
        private readonly int _choicesBefore = owner._choices.Count;
        private readonly int _keptBefore = owner._kept;
        private readonly bool _overflowBefore = owner._overflow;
        private readonly bool _incomparableBefore = owner._incomparable;
        private readonly (byte[]? Id, byte[]? Created, byte[]? Model, byte[]? SystemFingerprint, byte[]? ServiceTier) _identityBefore = owner.Identity.Mark();
        private bool _content;
        private bool _finish;
        private bool _usage;
        private bool _hasChoices;
        private PooledBuffer? _plainChannel;
        private Range _plainText;
        private bool _notOnePlainText;

        public EventMeaning Parse(ReadOnlySpan<byte> json)
        {
            for (var i = 0; i < _choicesBefore; i++)
            {
                owner._choices[i].Mark();
            }

            var reader = new Utf8JsonReader(json);
            reader.Read();
            if (reader.TokenType != JsonTokenType.StartObject)
            {
                return EventMeaning.Malformed;
            }

            var seen = 0;
            var (failed, isError) = (false, false);
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                if (reader.ValueTextEquals("choices"u8))
                {
                    Members.OnlyOnce(ref seen, 1);
                    reader.Read();
                    if (reader.TokenType == JsonTokenType.StartArray)
                    {
                        while (NextObject(ref reader))
                        {
                            _hasChoices = true;
                            failed |= !ParseChoice(ref reader);
                        }
                    }
                    else
                    {
                        reader.Skip();
                    }
                }
                else if (reader.ValueTextEquals("error"u8))
                {
                    Members.OnlyOnce(ref seen, 2);
                    reader.Read();
                    isError |= reader.TokenType != JsonTokenType.Null;
                    reader.Skip();
                }
                else if (reader.ValueTextEquals("usage"u8))
                {
                    Members.OnlyOnce(ref seen, 4);
                    reader.Read();
                    _usage = reader.TokenType == JsonTokenType.StartObject;
                    reader.Skip();
                }
                else if (reader.ValueTextEquals("object"u8))
                {
                    Members.OnlyOnce(ref seen, 8);
                    reader.Read();
                    isError |= reader.TokenType == JsonTokenType.String && reader.ValueTextEquals("error"u8);
                    reader.Skip();
                }
                else if (!owner.Identity.Take(ref reader, json))
                {
                    reader.Read();
                    reader.Skip();
                }
            }

            Members.AssertEnd(ref reader);
            if (failed || isError)
            {
                owner.Complaint = isError ? OpenAIError.Read(json) : UpstreamComplaint.Other;
                return EventMeaning.Error;
            }

            return (_content ? EventMeaning.Content : 0) | (_finish ? EventMeaning.Finish : 0);
        }

        public readonly void TakeBack()
        {
            for (var i = owner._choices.Count - 1; i >= 0; i--)
            {
                if (i >= _choicesBefore)
                {
                    owner._choices[i].Dispose();
                    owner._choices.RemoveAt(i);
                }
                else
                {
                    owner._choices[i].BackToMark();
                }
            }

            owner._kept = _keptBefore;
            owner._overflow = _overflowBefore;
            owner._incomparable = _incomparableBefore;
            owner.Identity.BackTo(_identityBefore);
        }

        /// <summary>Keeps where each choice stood before this chunk; says how many there were and how much was kept.</summary>
        public readonly (int Choices, int Kept) KeepMarks()
        {
            for (var i = 0; i < _choicesBefore; i++)
            {
                owner._choices[i].KeepMark();
            }

            return (_choicesBefore, _keptBefore);
        }

        public readonly void Keep()
        {
            owner._anyContent |= _content;
            owner.UsageDelivered |= _usage && !_hasChoices;
        }

        /// <summary>Remembers the chunk's shape where one plain text is all its output.</summary>
        public readonly void Learn(ReadOnlySpan<byte> json)
        {
            if (_plainChannel is not null && !_notOnePlainText)
            {
                owner._pattern.Learn(json, _plainText, _plainChannel);
            }
        }

        /// <summary>False where the choice says that it failed.</summary>
        private bool ParseChoice(ref Utf8JsonReader reader)
        {
            // The index may stand after the delta, so it is looked up first.
            var choice = owner.Choice(FindIndex(reader, 0));
            var seen = 0;
            var failed = false;
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                if (reader.ValueTextEquals("delta"u8))
                {
                    Members.OnlyOnce(ref seen, 1);
                    reader.Read();
                    if (reader.TokenType == JsonTokenType.StartObject)
                    {
                        ParseDelta(ref reader, choice);
                    }
                    else
                    {
                        reader.Skip();
                    }
                }
                else if (reader.ValueTextEquals("finish_reason"u8))
                {
                    Members.OnlyOnce(ref seen, 2);
                    reader.Read();
                    if (reader.TokenType == JsonTokenType.String && reader.ValueSpan.Length > 0)
                    {
                        failed = reader.ValueTextEquals("error"u8);
                        choice.Finished = true;
                        _finish = true;
                    }

                    reader.Skip();
                }
                else if (owner.Shape == ChunkShape.CompletionText && reader.ValueTextEquals("text"u8))
                {
                    Members.OnlyOnce(ref seen, 4);
                    TakeText(ref reader, choice, TextChannel.Content);
                }
                else if (reader.ValueTextEquals("index"u8))
                {
                    Members.OnlyOnce(ref seen, 8);
                    reader.Read();
                    reader.Skip();
                }
                else
                {
                    reader.Read();
                    reader.Skip();
                }
            }

            return !failed;
        }

        private void ParseDelta(ref Utf8JsonReader reader, DeliveredChoice choice)
        {
            var seen = 0;
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                if (reader.ValueTextEquals("content"u8))
                {
                    Members.OnlyOnce(ref seen, 1);
                    TakeText(ref reader, choice, TextChannel.Content);
                }
                else if (reader.ValueTextEquals("reasoning_content"u8))
                {
                    Members.OnlyOnce(ref seen, 2);
                    TakeText(ref reader, choice, TextChannel.ReasoningContent);
                }
                else if (reader.ValueTextEquals("reasoning"u8))
                {
                    Members.OnlyOnce(ref seen, 4);
                    TakeText(ref reader, choice, TextChannel.Reasoning);
                }
                else if (reader.ValueTextEquals("refusal"u8))
                {
                    Members.OnlyOnce(ref seen, 8);
                    TakeText(ref reader, choice, TextChannel.Refusal);
                }
                else if (reader.ValueTextEquals("tool_calls"u8))
                {
                    Members.OnlyOnce(ref seen, 16);
                    reader.Read();
                    if (reader.TokenType != JsonTokenType.StartArray)
                    {
                        reader.Skip();
                        continue;
                    }

                    while (NextObject(ref reader))
                    {
                        ParseToolCall(ref reader, choice);
                    }
                }
                else if (reader.ValueTextEquals("function_call"u8))
                {
                    Members.OnlyOnce(ref seen, 32);
                    reader.Read();
                    if (reader.TokenType == JsonTokenType.StartObject)
                    {
                        ParseFunction(ref reader, ToolCall(choice, -1));
                    }
                    else
                    {
                        reader.Skip();
                    }
                }
                else if (reader.ValueTextEquals("audio"u8) || reader.ValueTextEquals("images"u8))
                {
                    reader.Read();
                    if (reader.TokenType is JsonTokenType.StartObject or JsonTokenType.StartArray)
                    {
                        _content = _notOnePlainText = true;
                        owner._incomparable = true;
                    }

                    reader.Skip();
                }
                else
                {
                    reader.Read();
                    reader.Skip();
                }
            }
        }

        private void ParseToolCall(ref Utf8JsonReader reader, DeliveredChoice choice)
        {
            // Some servers send no index; their calls come whole, one after the other.
            var call = ToolCall(choice, FindIndex(reader, Math.Max(choice.ToolCalls.Count - 1, 0)));
            _content = _notOnePlainText = true;
            var seen = 0;
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                if (reader.ValueTextEquals("index"u8))
                {
                    Members.OnlyOnce(ref seen, 1);
                }

                var isFunction = reader.ValueTextEquals("function"u8);
                reader.Read();
                if (isFunction && reader.TokenType == JsonTokenType.StartObject)
                {
                    ParseFunction(ref reader, call);
                }
                else
                {
                    reader.Skip();
                }
            }
        }

        private void ParseFunction(ref Utf8JsonReader reader, DeliveredToolCall call)
        {
            _content = _notOnePlainText = true;
            var seen = 0;
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                if (reader.ValueTextEquals("name"u8))
                {
                    Members.OnlyOnce(ref seen, 1);
                    reader.Read();
                    // Some servers repeat the name with every piece of the arguments.
                    if (reader.TokenType == JsonTokenType.String && call.Name.Length == 0)
                    {
                        Append(ref reader, call.Name);
                    }
                    else if (reader.TokenType == JsonTokenType.String && !reader.ValueSpan.IsEmpty && !reader.ValueTextEquals(call.Name.Span))
                    {
                        // A second name: clients differ on whether it goes on with the first or stands in its place.
                        owner._incomparable = true;
                    }

                    reader.Skip();
                }
                else if (reader.ValueTextEquals("arguments"u8))
                {
                    Members.OnlyOnce(ref seen, 2);
                    reader.Read();
                    if (reader.TokenType == JsonTokenType.String)
                    {
                        Append(ref reader, call.Arguments);
                    }
                    else if (reader.TokenType != JsonTokenType.Null)
                    {
                        owner._incomparable = true;
                        reader.Skip();
                    }
                }
                else
                {
                    reader.Read();
                }

                reader.Skip();
            }
        }

        /// <summary>The call with this index. Calls come one after the other, so as a rule only the last one grows.</summary>
        private readonly DeliveredToolCall ToolCall(DeliveredChoice choice, int index)
        {
            var calls = choice.ToolCalls;
            if (calls.Count > 0 && calls[^1].Index == index)
            {
                return calls[^1];
            }

            foreach (var call in calls)
            {
                if (call.Index == index)
                {
                    // Interleaved calls cannot be joined.
                    owner._incomparable = true;
                    return call;
                }
            }

            var added = new DeliveredToolCall(index);
            calls.Add(added);
            return added;
        }

        private void TakeText(ref Utf8JsonReader reader, DeliveredChoice choice, TextChannel channel)
        {
            reader.Read();
            if (reader.TokenType == JsonTokenType.String)
            {
                if (reader.ValueSpan.Length > 0)
                {
                    _content = true;
                    _notOnePlainText |= _plainChannel is not null || reader.ValueIsEscaped;
                    _plainChannel = choice.Text(channel);
                    var start = (int)reader.TokenStartIndex + 1;
                    _plainText = start..(start + reader.ValueSpan.Length);
                    Append(ref reader, _plainChannel);
                }
            }
            else if (reader.TokenType is JsonTokenType.StartArray or JsonTokenType.StartObject)
            {
                // Typed content parts: output, but of a shape that cannot be compared.
                _content = _notOnePlainText = true;
                owner._incomparable = true;
                reader.Skip();
            }
        }

        private readonly void Append(ref Utf8JsonReader reader, PooledBuffer buffer)
        {
            if (owner._overflow)
            {
                if (_overflowBefore)
                {
                    // No event can take that back any more: what is kept serves nothing.
                    buffer.Clear();
                }

                return;
            }

            var before = buffer.Length;
            if (owner._kept + reader.ValueSpan.Length > owner.MaxDeliveredBytes)
            {
                owner._overflow = true;
                return;
            }

            if (!JsonText.TryAppend(ref reader, buffer))
            {
                owner._incomparable = true;
            }

            owner._kept += buffer.Length - before;
        }

        /// <summary>The first index of the object; that there is no second one is for the caller to see.</summary>
        private static int FindIndex(Utf8JsonReader reader, int otherwise)
        {
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                var wanted = reader.ValueTextEquals("index"u8);
                reader.Read();
                if (wanted)
                {
                    return reader.TokenType == JsonTokenType.Number ? reader.GetInt32() : otherwise;
                }

                reader.Skip();
            }

            return otherwise;
        }

        /// <summary>Steps to the next object of an array; false at its end. Whatever else stands in it no client can read.</summary>
        private static bool NextObject(ref Utf8JsonReader reader) => reader.Read() && reader.TokenType switch
        {
            JsonTokenType.StartObject => true,
            JsonTokenType.EndArray => false,
            _ => throw new JsonException(),
        };
    }
}
