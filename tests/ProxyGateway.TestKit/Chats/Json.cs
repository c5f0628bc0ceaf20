using System.Text.Encodings.Web;
using System.Text.Json;

namespace ProxyGateway.TestKit.Chats;

/// <summary>JSON strings as servers write them: nothing escaped that need not be.</summary>
public static class Json
{
    private static readonly JsonSerializerOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static string Quote(string text) => JsonSerializer.Serialize(text, Plain);
}
