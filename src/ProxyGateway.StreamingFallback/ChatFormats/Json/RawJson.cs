using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;
using ProxyGateway.StreamingFallback.Buffers;

namespace ProxyGateway.StreamingFallback.ChatFormats.Json;

/// <summary>JSON values that are handed on as they came.</summary>
internal static class RawJson
{
    /// <summary>Whether all names and strings in <paramref name="element"/> are text: half a surrogate pair or bytes that are no UTF-8 cannot be written again.</summary>
    public static bool CanBeWritten(JsonElement element)
    {
        if (!Utf8.IsValid(JsonMarshal.GetRawUtf8Value(element)))
        {
            return false;
        }

        using var bytes = new PooledBuffer();
        using var writer = new Utf8JsonWriter(bytes, JsonText.WriterOptions);
        try
        {
            element.WriteTo(writer);
            return true;
        }
        catch (Exception e) when (e is InvalidOperationException or ArgumentException)
        {
            return false;
        }
    }

    /// <summary>Writes <paramref name="value"/>, a whole JSON value, parsed and written anew, so that no white space of the upstream's can end a line.</summary>
    public static void Write(Utf8JsonWriter writer, ReadOnlySpan<byte> value)
    {
        var reader = new Utf8JsonReader(value);
        using var document = JsonDocument.ParseValue(ref reader);
        document.RootElement.WriteTo(writer);
    }

    /// <summary>The bytes of a member that is a string or a number; null otherwise.</summary>
    public static byte[]? Scalar(JsonElement parent, ReadOnlySpan<byte> name) =>
        parent.ValueKind == JsonValueKind.Object && parent.TryGetProperty(name, out var value) && value.ValueKind is JsonValueKind.String or JsonValueKind.Number && CanBeWritten(value)
            ? Encoding.UTF8.GetBytes(value.GetRawText())
            : null;

    /// <summary>Whether both objects have the member with the same JSON value, or neither has it.</summary>
    public static bool IsSameMember(JsonElement a, JsonElement b, ReadOnlySpan<byte> name)
    {
        var inA = a.TryGetProperty(name, out var left);
        var inB = b.TryGetProperty(name, out var right);
        return inA == inB && (!inA || JsonElement.DeepEquals(left, right));
    }

    /// <summary>Writes all members of <paramref name="element"/> but those that <paramref name="isLeftOut"/> names.</summary>
    public static void WriteOtherMembers(Utf8JsonWriter writer, JsonElement element, Func<JsonProperty, bool> isLeftOut)
    {
        foreach (var member in element.EnumerateObject())
        {
            if (!isLeftOut(member))
            {
                member.WriteTo(writer);
            }
        }
    }
}
