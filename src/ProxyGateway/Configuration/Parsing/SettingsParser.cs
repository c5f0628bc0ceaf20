using System.Globalization;
using System.Text;
using System.Text.Json;
using ProxyGateway.Configuration.Validation;

namespace ProxyGateway.Configuration.Parsing;

/// <summary>
/// JSON with comments and trailing commas as a tree that knows where everything was written. Stops at the first syntax
/// error, since what follows one is guesswork; duplicate keys are all reported.
/// </summary>
internal static class SettingsParser
{
    private static readonly JsonReaderOptions s_options = new()
    {
        CommentHandling = JsonCommentHandling.Skip,
        AllowTrailingCommas = true,
        MaxDepth = 64,
    };

    /// <summary>The tree, which is empty where the text is not JSON.</summary>
    public static SettingNode Parse(ReadOnlyMemory<byte> text, string file, DiagnosticBag diagnostics)
    {
        if (text.Span.StartsWith(Encoding.UTF8.Preamble))
        {
            text = text[Encoding.UTF8.Preamble.Length..];
        }

        if (IsUtf16(text.Span))
        {
            diagnostics.Error(new SettingOrigin(file, 1, 1), "(file)", "UTF-16, not UTF-8", null, "save the file as UTF-8");
            return Empty(file);
        }

        var positions = new TextPositions(text);
        var reader = new Utf8JsonReader(text.Span, s_options);
        try
        {
            reader.Read();
            var root = ReadValue(ref reader, "", "", default, new Walk(file, positions, diagnostics));
            if (root.Kind != SettingKind.Object)
            {
                diagnostics.Error(root.Origin, "(file)", "the configuration is not a block", null, "begin the file with { and end it with }");
                return Empty(file);
            }

            // Reads on to the end, so that text after the last brace is found.
            reader.Read();
            return root;
        }
        catch (JsonException exception)
        {
            var (line, column) = positions.At(exception.LineNumber ?? 0, exception.BytePositionInLine ?? 0);
            var origin = new SettingOrigin(file, line, column);
            if (exception.Message.Contains("does not contain any JSON tokens", StringComparison.Ordinal))
            {
                diagnostics.Error(origin, "(file)", "the file is empty", null, "write at least { \"ReverseProxy\": { \"Routes\": {}, \"Clusters\": {} } }");
            }
            else
            {
                diagnostics.Error(origin, "(file)", $"not valid JSON: {Reason(exception)}", null, "look here and on the line above for a missing or surplus comma, quote or brace");
            }

            return Empty(file);
        }
        catch (InvalidOperationException)
        {
            var (line, column) = positions.At(reader.TokenStartIndex);
            diagnostics.Error(new SettingOrigin(file, line, column), "(file)", "not valid UTF-8", null, "save the file as UTF-8");
            return Empty(file);
        }
    }

    public static SettingNode Empty(string file)
    {
        var start = new SettingOrigin(file, 1, 1);
        return new SettingNode("", "", SettingKind.Object, null, start, start);
    }

    /// <summary>By its mark, or by the zero that is half of every plain character: the first of the file is one.</summary>
    private static bool IsUtf16(ReadOnlySpan<byte> text) =>
        text.StartsWith(Encoding.Unicode.Preamble) || text.StartsWith(Encoding.BigEndianUnicode.Preamble) || text is [0, not 0, ..] or [not 0, 0, ..];

    private static SettingNode ReadValue(ref Utf8JsonReader reader, string name, string path, SettingOrigin keyOrigin, Walk walk)
    {
        var origin = walk.Here(reader.TokenStartIndex);
        var key = keyOrigin.Source is null ? origin : keyOrigin;
        switch (reader.TokenType)
        {
            case JsonTokenType.StartObject:
                return ReadObject(ref reader, new SettingNode(name, path, SettingKind.Object, null, key, origin), walk);
            case JsonTokenType.StartArray:
                return ReadArray(ref reader, new SettingNode(name, path, SettingKind.Array, null, key, origin), walk);
            case JsonTokenType.String:
                return new SettingNode(name, path, SettingKind.Text, reader.GetString(), key, origin);
            case JsonTokenType.Number:
                return new SettingNode(name, path, SettingKind.Number, Encoding.UTF8.GetString(reader.ValueSpan), key, origin);
            case JsonTokenType.True:
                return new SettingNode(name, path, SettingKind.Boolean, "true", key, origin);
            case JsonTokenType.False:
                return new SettingNode(name, path, SettingKind.Boolean, "false", key, origin);
            default:
                return new SettingNode(name, path, SettingKind.Null, null, key, origin);
        }
    }

    private static SettingNode ReadObject(ref Utf8JsonReader reader, SettingNode node, Walk walk)
    {
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var name = reader.GetString()!;
            var keyOrigin = walk.Here(reader.TokenStartIndex);
            reader.Read();
            var child = ReadValue(ref reader, name, SettingNode.Join(node.Path, name), keyOrigin, walk);
            if (!node.Add(child))
            {
                walk.Diagnostics.Error(
                    keyOrigin,
                    child.Path.Length > 0 ? child.Path : "\"\"",
                    $"the key is written twice (first on line {node[name]!.KeyOrigin.Line})",
                    null,
                    "keep one of the two; names compare without case");
            }
        }

        return node;
    }

    private static SettingNode ReadArray(ref Utf8JsonReader reader, SettingNode node, Walk walk)
    {
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            var name = node.Children.Count.ToString(CultureInfo.InvariantCulture);
            node.Add(ReadValue(ref reader, name, SettingNode.Join(node.Path, name), default, walk));
        }

        return node;
    }

    private static string Reason(JsonException exception)
    {
        var message = exception.Message;
        var tail = message.IndexOf(" LineNumber:", StringComparison.Ordinal);
        return (tail < 0 ? message : message[..tail]).TrimEnd('.', ' ').ReplaceLineEndings(" ");
    }

    private readonly record struct Walk(string File, TextPositions Positions, DiagnosticBag Diagnostics)
    {
        public SettingOrigin Here(long offset)
        {
            var (line, column) = Positions.At(offset);
            return new SettingOrigin(File, line, column);
        }
    }
}
