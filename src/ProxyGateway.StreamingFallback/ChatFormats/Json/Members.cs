using System.Text.Json;

namespace ProxyGateway.StreamingFallback.ChatFormats.Json;

/// <summary>Walks over the members of an object that a stream's event holds, without a DOM.</summary>
internal static class Members
{
    /// <summary>Readers disagree on which of two equal members counts (RFC 8259, section 4), so such an event is malformed.</summary>
    public static void OnlyOnce(ref int seen, int member)
    {
        if ((seen & member) != 0)
        {
            throw new JsonException();
        }

        seen |= member;
    }

    /// <summary>Goes on to the value of the member that <paramref name="reader"/> stands on, which may stand there once only, and returns a reader there.</summary>
    public static Utf8JsonReader Value(scoped ref Utf8JsonReader reader, scoped ref int seen, int member)
    {
        OnlyOnce(ref seen, member);
        reader.Read();
        return reader;
    }

    /// <summary>
    /// Looks for a member of the object whose brace <paramref name="reader"/> (a copy) stands on: it may stand after those
    /// that it explains. Returns false where it is absent; otherwise <paramref name="value"/> stands on its value.
    /// </summary>
    public static bool TryFind(Utf8JsonReader reader, ReadOnlySpan<byte> name, out Utf8JsonReader value)
    {
        value = default;
        var found = false;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var wanted = reader.ValueTextEquals(name);
            reader.Read();
            if (wanted)
            {
                if (found)
                {
                    throw new JsonException();
                }

                found = true;
                value = reader;
            }

            reader.Skip();
        }

        return found;
    }

    /// <summary>The bytes of the value that <paramref name="reader"/> stands on, whole; goes to its end.</summary>
    public static ReadOnlySpan<byte> TakeRaw(scoped ref Utf8JsonReader reader, ReadOnlySpan<byte> json)
    {
        var start = (int)reader.TokenStartIndex;
        reader.Skip();
        return json[start..(int)reader.BytesConsumed];
    }

    /// <summary>Throws unless <paramref name="reader"/> stands on the last brace of the event and nothing follows: something in it was not where it belongs.</summary>
    public static void AssertEnd(ref Utf8JsonReader reader)
    {
        if (reader.TokenType != JsonTokenType.EndObject || reader.CurrentDepth != 0 || reader.Read())
        {
            throw new JsonException();
        }
    }
}
