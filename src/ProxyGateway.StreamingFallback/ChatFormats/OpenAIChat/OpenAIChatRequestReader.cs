using System.Text.Json;
using ProxyGateway.StreamingFallback.ChatFormats.Json;

namespace ProxyGateway.StreamingFallback.ChatFormats.OpenAIChat;

/// <summary>Reads <c>model</c>, <c>stream</c>, <c>stream_options</c> and <c>n</c> of a Chat Completions request (OpenAI API reference, "Create chat completion").</summary>
internal static class OpenAIChatRequestReader
{
    [Flags]
    private enum Seen
    {
        Model = 1,
        Stream = 2,
        StreamOptions = 4,
        N = 8,
    }

    public static string? Read(ReadOnlySpan<byte> body, out ChatRequest request)
    {
        request = null!;
        string? model = null;
        Range modelValue = default, streamValue = default, streamOptions = default;
        var streaming = false;
        var includeUsage = false;
        var choices = 1;
        Seen seen = 0;
        var members = new MemberReader(body);
        while (members.Next())
        {
            if (members.NameIs("stream"u8))
            {
                if (!Once(ref seen, Seen.Stream))
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
                if (!Once(ref seen, Seen.Model))
                {
                    return Twice("model");
                }

                modelValue = members.ValueRange;
                model = JsonText.GetStringOrNull(ref members.Value);
            }
            else if (members.NameIs("stream_options"u8))
            {
                if (!Once(ref seen, Seen.StreamOptions))
                {
                    return Twice("stream_options");
                }

                streamOptions = members.MemberRange();
                includeUsage = ReadIncludeUsage(members.Value);
            }
            else if (members.NameIs("n"u8))
            {
                if (!Once(ref seen, Seen.N))
                {
                    return Twice("n");
                }

                choices = members.Value.TokenType == JsonTokenType.Number && members.Value.TryGetInt32(out var n) && n is > 0 and <= 1024 ? n : 1;
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
            IncludeUsage = includeUsage,
            ChoiceCount = choices,
            ModelValue = modelValue,
            StreamValue = streamValue,
            StreamOptionsMember = streamOptions,
        };
        return null;
    }

    private static bool ReadIncludeUsage(Utf8JsonReader reader)
    {
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            return false;
        }

        var include = false;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName && JsonText.IsComparable(ref reader))
        {
            var wanted = reader.ValueTextEquals("include_usage"u8);
            reader.Read();
            if (wanted)
            {
                include = reader.TokenType == JsonTokenType.True;
            }

            reader.Skip();
        }

        return include;
    }

    private static bool Once(ref Seen seen, Seen member)
    {
        var first = (seen & member) == 0;
        seen |= member;
        return first;
    }

    /// <summary>Readers disagree on which of two equal members counts, so a request that has them is refused (RFC 8259, section 4).</summary>
    private static string Twice(string member) => $"`{member}` stands twice in the request body.";
}
