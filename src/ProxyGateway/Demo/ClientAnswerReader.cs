using System.Net.ServerSentEvents;
using System.Text;
using System.Text.Json;

namespace ProxyGateway.Demo;

/// <summary>Makes a <see cref="ClientAnswer"/> of the bytes of an <c>openai-chat</c> stream.</summary>
internal sealed class ClientAnswerReader
{
    private readonly StringBuilder _text = new();
    private readonly StringBuilder _arguments = new();
    private readonly HashSet<string> _ids = new(StringComparer.Ordinal);
    private int _roles;
    private int _finishReasons;
    private int _doneMarkers;
    private int _brokenEvents;
    private string? _error;

    public static ClientAnswer Read(byte[] body)
    {
        var reader = new ClientAnswerReader();
        using var stream = new MemoryStream(body);
        foreach (var item in SseParser.Create(stream).Enumerate())
        {
            reader.ReadEvent(item.Data);
        }

        if (EndsInsideEvent(body))
        {
            reader._brokenEvents++;
        }

        return new ClientAnswer
        {
            Text = reader._text.ToString(),
            ToolArguments = reader._arguments.ToString(),
            Roles = reader._roles,
            FinishReasons = reader._finishReasons,
            DoneMarkers = reader._doneMarkers,
            Ids = reader._ids.Count,
            Error = reader._error,
            BrokenEvents = reader._brokenEvents,
        };
    }

    /// <summary>The code of an error object, or else its type.</summary>
    public static string? ErrorCode(JsonElement root)
    {
        if (root.ValueKind != JsonValueKind.Object || !root.TryGetProperty("error", out var error))
        {
            return null;
        }

        return String(error, "code") ?? String(error, "type") ?? "error";
    }

    private void ReadEvent(string data)
    {
        if (data == "[DONE]")
        {
            _doneMarkers++;
            return;
        }

        try
        {
            using var document = JsonDocument.Parse(data);
            ReadChunk(document.RootElement);
        }
        catch (JsonException)
        {
            _brokenEvents++;
        }
    }

    private void ReadChunk(JsonElement chunk)
    {
        _error ??= ErrorCode(chunk);
        if (String(chunk, "id") is { } id)
        {
            _ids.Add(id);
        }

        foreach (var choice in Items(chunk, "choices"))
        {
            _finishReasons += String(choice, "finish_reason") is null ? 0 : 1;
            if (!choice.TryGetProperty("delta", out var delta))
            {
                continue;
            }

            _roles += String(delta, "role") is null ? 0 : 1;
            _text.Append(String(delta, "content"));
            foreach (var call in Items(delta, "tool_calls"))
            {
                _arguments.Append(call.TryGetProperty("function", out var function) ? String(function, "arguments") : null);
            }
        }
    }

    // What follows the last blank line may be comments; anything else is an event that never ended.
    private static bool EndsInsideEvent(byte[] body)
    {
        var text = Encoding.UTF8.GetString(body).ReplaceLineEndings("\n");
        var rest = text[(text.LastIndexOf("\n\n", StringComparison.Ordinal) is >= 0 and var at ? at + 2 : 0)..];
        return rest.Split('\n').Any(line => line.Length > 0 && line[0] != ':');
    }

    private static JsonElement.ArrayEnumerator Items(JsonElement parent, string name) =>
        parent.ValueKind == JsonValueKind.Object && parent.TryGetProperty(name, out var items) && items.ValueKind == JsonValueKind.Array
            ? items.EnumerateArray()
            : default;

    private static string? String(JsonElement parent, string name) =>
        parent.ValueKind == JsonValueKind.Object && parent.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String
            ? value.GetString()
            : null;
}
