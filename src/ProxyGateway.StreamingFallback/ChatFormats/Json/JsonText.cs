using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Unicode;
using ProxyGateway.StreamingFallback.Buffers;

namespace ProxyGateway.StreamingFallback.ChatFormats.Json;

/// <summary>JSON strings as decoded UTF-8.</summary>
internal static class JsonText
{
    /// <summary>How the gateway writes JSON: readable text, but never a raw control character, so one event stays one event.</summary>
    public static readonly JsonWriterOptions WriterOptions = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = false };

    /// <summary>Answers are small and read once; a member that stands twice is refused rather than guessed at.</summary>
    public static readonly JsonDocumentOptions AnswerOptions = new() { MaxDepth = 64, AllowDuplicateProperties = false };

    /// <summary>
    /// Appends the decoded string that <paramref name="reader"/> stands on. Returns false, with nothing appended, where it
    /// holds half a surrogate pair or bytes that are no UTF-8: such text cannot be cut or compared.
    /// </summary>
    public static bool TryAppend(ref Utf8JsonReader reader, PooledBuffer buffer)
    {
        var value = reader.ValueSpan;
        if (!reader.ValueIsEscaped)
        {
            if (!Utf8.IsValid(value))
            {
                return false;
            }

            buffer.Append(value);
            return true;
        }

        try
        {
            buffer.Advance(reader.CopyString(buffer.GetSpan(value.Length)));
            return true;
        }
        catch (InvalidOperationException)
        {
            return false;
        }
    }

    /// <summary>
    /// Whether the name that <paramref name="reader"/> stands on can be compared. Half a surrogate pair makes every comparison with it
    /// throw, and a request may hold a million such names: so this is asked before the first.
    /// </summary>
    public static bool IsComparable(ref Utf8JsonReader reader) => !reader.ValueIsEscaped || Decode(ref reader) is not null;

    /// <summary>Whether the string that <paramref name="reader"/> stands on can be written again.</summary>
    public static bool IsText(ref Utf8JsonReader reader) => reader.ValueIsEscaped ? IsComparable(ref reader) : Utf8.IsValid(reader.ValueSpan);

    /// <summary>The string that <paramref name="reader"/> stands on; null where it is none or holds half a surrogate pair.</summary>
    public static string? GetStringOrNull(ref Utf8JsonReader reader) => reader.TokenType == JsonTokenType.String ? Decode(ref reader) : null;

    /// <summary>Whether <paramref name="json"/> is one whole JSON value, or nothing but white space (a call without arguments).</summary>
    public static bool IsWholeOrEmpty(ReadOnlySpan<byte> json)
    {
        if (json.Trim(" \t\r\n"u8).IsEmpty)
        {
            return true;
        }

        try
        {
            var reader = new Utf8JsonReader(json);
            while (reader.Read())
            {
            }

            return true;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    /// <summary>Whether both are JSON of the same value: numbers by value, members in any order.</summary>
    public static bool IsSameValue(ReadOnlySpan<byte> one, ReadOnlySpan<byte> other)
    {
        try
        {
            return JsonElement.DeepEquals(JsonElement.Parse(one, AnswerOptions), JsonElement.Parse(other, AnswerOptions));
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return false;
        }
    }

    /// <summary>A whole answer as a document, which is the caller's to dispose of; null where it is no JSON, says something twice, or has a name that is no text.</summary>
    public static JsonDocument? TryParseAnswer(ReadOnlyMemory<byte> json)
    {
        try
        {
            return JsonDocument.Parse(json, AnswerOptions);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return null;
        }
    }

    /// <summary>The UTF-8 of a string member, or null where it is absent or no string.</summary>
    public static byte[]? GetUtf8(JsonElement parent, ReadOnlySpan<byte> name)
    {
        try
        {
            return parent.ValueKind == JsonValueKind.Object && parent.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String
                ? Encoding.UTF8.GetBytes(value.GetString()!)
                : null;
        }
        catch (InvalidOperationException)
        {
            return null; // Half a surrogate pair.
        }
    }

    /// <summary>The UTF-8 of a member that is text or nothing: empty where it is absent or null. Null where it is anything else, which nobody here could pass on.</summary>
    public static byte[]? GetTextOrEmpty(JsonElement parent, ReadOnlySpan<byte> name) => IsAbsent(parent, name) ? [] : GetUtf8(parent, name);

    /// <summary>Whether a member of an object is not there or null.</summary>
    public static bool IsAbsent(JsonElement parent, ReadOnlySpan<byte> name) => !parent.TryGetProperty(name, out var value) || value.ValueKind == JsonValueKind.Null;

    /// <summary>Whether a member of an object is not there, null or an empty list.</summary>
    public static bool IsAbsentOrEmpty(JsonElement parent, ReadOnlySpan<byte> name) =>
        IsAbsent(parent, name) || (parent.GetProperty(name) is { ValueKind: JsonValueKind.Array } list && list.GetArrayLength() == 0);

    /// <summary>The string or name that <paramref name="reader"/> stands on; null where it is no text.</summary>
    private static string? Decode(ref Utf8JsonReader reader)
    {
        try
        {
            return reader.GetString();
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }
}
