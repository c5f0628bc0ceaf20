using System.Text;
using System.Text.Json;
using ProxyGateway.StreamingFallback.ChatFormats.Json;

namespace ProxyGateway.StreamingFallback.ChatFormats.AnthropicMessages;

/// <summary>Members of an object that is already known to be JSON.</summary>
internal static class EventMembers
{
    /// <summary>Finds a member of <paramref name="json"/>, an object; <paramref name="value"/> then stands on its value.</summary>
    /// <exception cref="JsonException">The member stands twice.</exception>
    public static bool TryFind(ReadOnlySpan<byte> json, ReadOnlySpan<byte> name, out Utf8JsonReader value)
    {
        var reader = new Utf8JsonReader(json);
        reader.Read();
        return Members.TryFind(reader, name, out value);
    }

    /// <summary>A member's whole value as raw JSON; empty where it is absent.</summary>
    public static ReadOnlySpan<byte> Raw(ReadOnlySpan<byte> json, ReadOnlySpan<byte> name) =>
        TryFind(json, name, out var value) ? Members.TakeRaw(ref value, json) : default;

    /// <summary>A string member with its quotes; empty where it is absent or no string.</summary>
    public static ReadOnlySpan<byte> RawString(ReadOnlySpan<byte> json, ReadOnlySpan<byte> name) =>
        Raw(json, name) is [(byte)'"', ..] text ? text : default;

    /// <summary>Whether <paramref name="quoted"/>, a JSON string with its quotes or nothing, holds any text.</summary>
    public static bool HasText(ReadOnlySpan<byte> quoted) => quoted.Length > 2;

    /// <summary>A string member decoded; null where it is absent, no string, or holds half a surrogate pair.</summary>
    public static byte[]? GetUtf8(ReadOnlySpan<byte> json, ReadOnlySpan<byte> name) =>
        TryFind(json, name, out var value) && JsonText.GetStringOrNull(ref value) is { } text ? Encoding.UTF8.GetBytes(text) : null;
}
