using System.Text.Json;
using ProxyGateway.StreamingFallback.ChatFormats.Json;

namespace ProxyGateway.StreamingFallback.ChatFormats.OpenAIResponses;

/// <summary>Reads what matters of a request for a response (OpenAI API reference, "Create a model response").</summary>
internal static class OpenAIResponsesRequestReader
{
    private enum Member
    {
        Unread,
        Model,
        Stream,
        StreamOptions,
        Store,
        Background,
        PreviousResponse,
        Conversation,
    }

    public static string? Read(ReadOnlySpan<byte> body, out ChatRequest request)
    {
        request = null!;
        string? model = null;
        Range modelValue = default, streamValue = default, streamOptions = default;
        var streaming = false;
        // The API stores an answer unless the request says that it must not.
        var stored = true;
        var stateful = false;
        var seen = 0;
        var members = new MemberReader(body);
        while (members.Next())
        {
            var (member, name) = Find(members);
            if (member == Member.Unread)
            {
                continue;
            }

            if ((seen & (1 << (int)member)) != 0)
            {
                // Readers disagree on which of two equal members counts (RFC 8259, section 4).
                return $"`{name}` stands twice in the request body.";
            }

            seen |= 1 << (int)member;
            var type = members.Value.TokenType;
            switch (member)
            {
                case Member.Stream when type is not (JsonTokenType.True or JsonTokenType.False or JsonTokenType.Null):
                    return "`stream` must be true or false.";
                case Member.Stream:
                    streaming = type == JsonTokenType.True;
                    streamValue = members.ValueRange;
                    break;
                case Member.Model:
                    modelValue = members.ValueRange;
                    model = JsonText.GetStringOrNull(ref members.Value);
                    break;
                case Member.StreamOptions:
                    streamOptions = members.MemberRange();
                    break;
                case Member.Store:
                    stored = type != JsonTokenType.False;
                    break;
                default:
                    stateful |= type is not (JsonTokenType.Null or JsonTokenType.False);
                    break;
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
            Stateful = stateful || stored,
            ModelValue = modelValue,
            StreamValue = streamValue,
            StreamOptionsMember = streamOptions,
        };
        return null;
    }

    private static (Member Member, string Name) Find(in MemberReader members) => members switch
    {
        _ when members.NameIs("model"u8) => (Member.Model, "model"),
        _ when members.NameIs("stream"u8) => (Member.Stream, "stream"),
        _ when members.NameIs("stream_options"u8) => (Member.StreamOptions, "stream_options"),
        _ when members.NameIs("store"u8) => (Member.Store, "store"),
        _ when members.NameIs("background"u8) => (Member.Background, "background"),
        _ when members.NameIs("previous_response_id"u8) => (Member.PreviousResponse, "previous_response_id"),
        _ when members.NameIs("conversation"u8) => (Member.Conversation, "conversation"),
        _ => (Member.Unread, ""),
    };
}
