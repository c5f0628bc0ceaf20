using System.Buffers;
using System.Text;
using System.Text.Json;

namespace ProxyGateway.DemoAgents;

/// <summary>What a demo agent reads of a chat request; the same for both formats.</summary>
internal sealed record DemoRequest(string? Model, bool Streaming, bool IncludeUsage, string Prompt)
{
    private const string NoModel = "demo";

    public string AnswerModel => Model ?? NoModel;

    /// <summary>A deterministic stand-in for a tokenizer.</summary>
    public int PromptTokens => 1 + (Prompt.Length / 4);

    /// <summary>Reads the body; null where it is not a JSON object.</summary>
    public static DemoRequest? Read(in ReadOnlySequence<byte> body)
    {
        try
        {
            var reader = new Utf8JsonReader(body);
            return reader.Read() && reader.TokenType == JsonTokenType.StartObject ? ReadObject(ref reader) : null;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return null;
        }
    }

    private static DemoRequest ReadObject(ref Utf8JsonReader reader)
    {
        string? model = null;
        var streaming = false;
        var includeUsage = false;
        var prompt = "";
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("model"u8))
            {
                reader.Read();
                model = reader.GetString();
            }
            else if (reader.ValueTextEquals("stream"u8))
            {
                reader.Read();
                streaming = reader.TokenType == JsonTokenType.True;
            }
            else if (reader.ValueTextEquals("stream_options"u8))
            {
                includeUsage = ReadIncludeUsage(ref reader);
            }
            else if (reader.ValueTextEquals("messages"u8))
            {
                prompt = ReadLastUserText(ref reader);
            }
            else
            {
                reader.Skip();
            }
        }

        return new DemoRequest(model, streaming, includeUsage, prompt);
    }

    private static bool ReadIncludeUsage(ref Utf8JsonReader reader)
    {
        var include = false;
        if (!EnterContainer(ref reader, JsonTokenType.StartObject))
        {
            return false;
        }

        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var isIt = reader.ValueTextEquals("include_usage"u8);
            reader.Read();
            include |= isIt && reader.TokenType == JsonTokenType.True;
            reader.Skip();
        }

        return include;
    }

    // The answer depends on the decoded text of the last user message and on nothing else, so that a request that
    // comes by another way (a router that writes the JSON anew, a fallback's model override) still gets the same one.
    private static string ReadLastUserText(ref Utf8JsonReader reader)
    {
        var last = "";
        if (!EnterContainer(ref reader, JsonTokenType.StartArray))
        {
            return last;
        }

        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (reader.TokenType != JsonTokenType.StartObject)
            {
                reader.Skip();
                continue;
            }

            var (isUser, text) = ReadMessage(ref reader);
            last = isUser ? text : last;
        }

        return last.Trim();
    }

    private static (bool IsUser, string Text) ReadMessage(ref Utf8JsonReader reader)
    {
        var isUser = false;
        var text = "";
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var isRole = reader.ValueTextEquals("role"u8);
            var isContent = reader.ValueTextEquals("content"u8);
            reader.Read();
            if (isRole && reader.TokenType == JsonTokenType.String)
            {
                isUser = reader.ValueTextEquals("user"u8);
            }
            else if (isContent && reader.TokenType == JsonTokenType.String)
            {
                text = reader.GetString()!;
            }
            else if (isContent && reader.TokenType == JsonTokenType.StartArray)
            {
                text = ReadParts(ref reader);
            }
            else
            {
                reader.Skip();
            }
        }

        return (isUser, text);
    }

    private static string ReadParts(ref Utf8JsonReader reader)
    {
        var text = new StringBuilder();
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (reader.TokenType != JsonTokenType.StartObject)
            {
                reader.Skip();
                continue;
            }

            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                var isText = reader.ValueTextEquals("text"u8);
                reader.Read();
                if (isText && reader.TokenType == JsonTokenType.String)
                {
                    text.Append(reader.GetString());
                }
                else
                {
                    reader.Skip();
                }
            }
        }

        return text.ToString();
    }

    private static bool EnterContainer(ref Utf8JsonReader reader, JsonTokenType start)
    {
        reader.Read();
        if (reader.TokenType == start)
        {
            return true;
        }

        reader.Skip();
        return false;
    }
}
