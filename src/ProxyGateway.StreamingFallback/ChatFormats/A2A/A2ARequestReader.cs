using System.Text.Json;
using ProxyGateway.StreamingFallback.ChatFormats.Json;

namespace ProxyGateway.StreamingFallback.ChatFormats.A2A;

/// <summary>Reads an A2A request: the JSON-RPC method decides whether a stream answers it (A2A specification 0.3, section 7).</summary>
internal static class A2ARequestReader
{
    public static string? Read(ReadOnlySpan<byte> body, out ChatRequest request)
    {
        request = null!;
        string? method = null;
        byte[]? id = null;
        Range methodValue = default;
        var (seenId, seenParams, stateful) = (false, false, false);
        var members = new MemberReader(body);
        while (members.Next())
        {
            if (members.NameIs("method"u8))
            {
                if (!methodValue.Equals(default))
                {
                    return "`method` stands twice in the request body.";
                }

                methodValue = members.ValueRange;
                method = JsonText.GetStringOrNull(ref members.Value);
            }
            else if (members.NameIs("id"u8))
            {
                if (seenId)
                {
                    return "`id` stands twice in the request body.";
                }

                seenId = true;
                id = members.Value.TokenType is JsonTokenType.String && JsonText.GetStringOrNull(ref members.Value) is not null || members.Value.TokenType is JsonTokenType.Number ? body[members.ValueRange].ToArray() : null;
            }
            else if (members.NameIs("params"u8))
            {
                if (seenParams)
                {
                    return "`params` stands twice in the request body.";
                }

                seenParams = true;
                stateful = ContinuesSomething(members.Value);
            }
        }

        if (members.Problem is not null)
        {
            return members.Problem;
        }

        if (method is null)
        {
            return "`method` must be a string.";
        }

        var call = new JsonRpcCall(id, method, methodValue);
        request = new ChatRequest
        {
            Streaming = call.IsStreaming,
            Stateful = stateful || method == JsonRpcCall.TasksResubscribe,
            Rpc = call,
        };
        return null;
    }

    /// <summary>Whether the message belongs to a task or a conversation that the agent already has.</summary>
    private static bool ContinuesSomething(Utf8JsonReader parameters)
    {
        if (parameters.TokenType != JsonTokenType.StartObject)
        {
            return false;
        }

        while (parameters.Read() && parameters.TokenType == JsonTokenType.PropertyName)
        {
            if (!JsonText.IsComparable(ref parameters))
            {
                return true; // What the agent makes of it, and of what follows, is not known.
            }

            var isMessage = parameters.ValueTextEquals("message"u8);
            parameters.Read();
            if (isMessage && parameters.TokenType == JsonTokenType.StartObject && NamesTaskOrContext(parameters))
            {
                return true;
            }

            parameters.Skip();
        }

        return false;
    }

    private static bool NamesTaskOrContext(Utf8JsonReader message)
    {
        while (message.Read() && message.TokenType == JsonTokenType.PropertyName)
        {
            if (!JsonText.IsComparable(ref message))
            {
                return true;
            }

            var wanted = message.ValueTextEquals("taskId"u8) || message.ValueTextEquals("contextId"u8);
            message.Read();
            if (wanted && message.TokenType == JsonTokenType.String)
            {
                return true;
            }

            message.Skip();
        }

        return false;
    }
}
