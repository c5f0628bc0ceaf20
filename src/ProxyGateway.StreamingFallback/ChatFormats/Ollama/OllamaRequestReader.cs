using System.Text.Json;
using ProxyGateway.StreamingFallback.ChatFormats.Json;

namespace ProxyGateway.StreamingFallback.ChatFormats.Ollama;

/// <summary>Reads <c>model</c> and <c>stream</c> of an Ollama chat request. A request that does not say <c>stream</c> wants a stream.</summary>
internal static class OllamaRequestReader
{
    public static string? Read(ReadOnlySpan<byte> body, out ChatRequest request)
    {
        request = null!;
        string? model = null;
        Range modelValue = default, streamValue = default;
        var streaming = true;
        var members = new MemberReader(body);
        while (members.Next())
        {
            if (members.NameIs("stream"u8))
            {
                if (!streamValue.Equals(default))
                {
                    return "`stream` stands twice in the request body.";
                }

                if (members.Value.TokenType is not (JsonTokenType.True or JsonTokenType.False or JsonTokenType.Null))
                {
                    return "`stream` must be true or false.";
                }

                streaming = members.Value.TokenType != JsonTokenType.False;
                streamValue = members.ValueRange;
            }
            else if (members.NameIs("model"u8))
            {
                if (!modelValue.Equals(default))
                {
                    return "`model` stands twice in the request body.";
                }

                modelValue = members.ValueRange;
                model = JsonText.GetStringOrNull(ref members.Value);
            }
        }

        if (members.Problem is not null)
        {
            return members.Problem;
        }

        request = new ChatRequest { Streaming = streaming, Model = model, ModelValue = modelValue, StreamValue = streamValue };
        return null;
    }
}
