using System.Text.Json;
using ProxyGateway.StreamingFallback.Buffers;
using ProxyGateway.StreamingFallback.ChatFormats.Json;

namespace ProxyGateway.StreamingFallback.ChatFormats.OpenAIChat;

/// <content>How one chunk is read, so that it can be taken back.</content>
internal sealed partial class OpenAIChatReader
{
    /// <summary>Reads one chunk into the reader so that it can be taken back. A struct on the stack: nothing is allocated.</summary>
    private ref partial struct ChunkParser(OpenAIChatReader owner)
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
