using System.Text.Json;
using ProxyGateway.StreamingFallback.ChatFormats.Json;

namespace ProxyGateway.StreamingFallback.ChatFormats.AnthropicMessages;

/// <summary>Reads <c>model</c> and <c>stream</c> of a Messages request (Anthropic API reference, "Create a Message").</summary>
internal static class AnthropicRequestReader
{
    public static string? Read(ReadOnlySpan<byte> body, out ChatRequest request)
    {
        request = null!;
        string? model = null;
        Range modelValue = default, streamValue = default;
        var streaming = false;
        var members = new MemberReader(body);
        while (members.Next())
        {
            if (members.NameIs("stream"u8))
            {
                if (!streamValue.Equals(default))
                {
                    return Twice("stream");
                }

                if (members.Value.TokenType is not (JsonTokenType.True or JsonTokenType.False or JsonTokenType.Null))
                {
                    return "`stream` must be true or false.";
                }

                streaming = members.Value.TokenType == JsonTokenType.True;
                streamValue = members.ValueRange;
            }
            else if (members.NameIs("model"u8))
            {
                if (!modelValue.Equals(default))
                {
                    return Twice("model");
                }

                modelValue = members.ValueRange;
                model = JsonText.GetStringOrNull(ref members.Value);
            }
        }

        if (members.Problem is not null)
        {
            return members.Problem;
        }

        request = new ChatRequest
        {
            Streaming = streaming,
            Model = model,
            IncludeUsage = true,
            ModelValue = modelValue,
            StreamValue = streamValue,
        };
        return null;
    }

    /// <summary>Readers disagree on which of two equal members counts, so a request that has them is refused (RFC 8259, section 4).</summary>
    private static string Twice(string member) => $"`{member}` stands twice in the request body.";
}
