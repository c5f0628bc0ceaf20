using System.Text.Json;
using ProxyGateway.StreamingFallback.Buffers;
using ProxyGateway.StreamingFallback.ChatFormats.Json;

namespace ProxyGateway.StreamingFallback.ChatFormats.OpenAIChat;

/// <content>What a chunk adds to a choice.</content>
internal sealed partial class OpenAIChatReader
{
    private ref partial struct ChunkParser
    {
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
    }
}
