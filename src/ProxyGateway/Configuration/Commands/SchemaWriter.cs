using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using ProxyGateway.Configuration.Catalogue;

namespace ProxyGateway.Configuration.Commands;

/// <summary>The catalogue as JSON Schema (draft 7, the one editors know best).</summary>
internal static class SchemaWriter
{
    private const string Duration = "^(\\d+\\.)?([01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(\\.\\d{1,7})?$";

    public static string Write(OptionNode root)
    {
        using var stream = new MemoryStream();
        var options = new JsonWriterOptions { Indented = true, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
        using (var writer = new Utf8JsonWriter(stream, options))
        {
            writer.WriteStartObject();
            writer.WriteString("$schema", "http://json-schema.org/draft-07/schema#");
            writer.WriteString("title", "ProxyGateway");
            Body(writer, root);
            writer.WriteEndObject();
        }

        return Encoding.UTF8.GetString(stream.ToArray()) + "\n";
    }

    private static void Body(Utf8JsonWriter writer, OptionNode node)
    {
        writer.WriteString("description", Describe(node));
        switch (node.Kind)
        {
            case OptionKind.Foreign:
                return;
            case OptionKind.Block:
                Type(writer, node, "object");
                Children(writer, node);
                return;
            case OptionKind.Map:
                Type(writer, node, "object");
                Inner(writer, "additionalProperties", node.Item!);
                return;
            case OptionKind.List:
                Type(writer, node, "array");
                Inner(writer, "items", node.Item!);
                return;
            default:
                Scalar(writer, node);
                return;
        }
    }

    private static void Children(Utf8JsonWriter writer, OptionNode node)
    {
        writer.WriteStartObject("properties");
        foreach (var child in node.Children)
        {
            Inner(writer, child.Name, child);
        }

        writer.WriteEndObject();
        if (node.Children.Any(c => c.IsRequired))
        {
            Strings(writer, "required", node.Children.Where(c => c.IsRequired).Select(c => c.Name));
        }

        writer.WriteBoolean("additionalProperties", false);
    }

    private static void Inner(Utf8JsonWriter writer, string name, OptionNode node)
    {
        writer.WriteStartObject(name);
        Body(writer, node);
        writer.WriteEndObject();
    }

    private static void Scalar(Utf8JsonWriter writer, OptionNode node)
    {
        switch (node.Kind)
        {
            case OptionKind.Flag:
                Type(writer, node, "boolean");
                break;
            case OptionKind.Count or OptionKind.Share:
                Type(writer, node, node.Kind == OptionKind.Count ? "integer" : "number");
                Bound(writer, node.MinimumIsExclusive ? "exclusiveMinimum" : "minimum", node.Minimum);
                Bound(writer, "maximum", node.Maximum);
                break;
            case OptionKind.Time:
                Type(writer, node, "string");
                writer.WriteString("pattern", Duration);
                break;
            case OptionKind.Choice:
                Choices(writer, node);
                break;
            case OptionKind.Address:
                Type(writer, node, "string");
                writer.WriteString("format", "uri");
                writer.WriteString("pattern", "^https?://");
                break;
            default:
                // Metadata and transforms take numbers and switches as text.
                writer.WriteStartArray("type");
                foreach (var type in node.IsYarp ? ["string", "number", "boolean", "null"] : (string[])["string", "null"])
                {
                    writer.WriteStringValue(type);
                }

                writer.WriteEndArray();
                break;
        }

        if (node.Suggestions.Count > 0)
        {
            Strings(writer, "examples", node.Suggestions);
        }

        Default(writer, node);
    }

    private static void Choices(Utf8JsonWriter writer, OptionNode node)
    {
        writer.WriteStartArray("enum");
        foreach (var choice in node.Choices)
        {
            writer.WriteStringValue(choice);
        }

        if (!node.IsRequired && node.Name != "position")
        {
            writer.WriteNullValue();
        }

        writer.WriteEndArray();
    }

    private static void Default(Utf8JsonWriter writer, OptionNode node)
    {
        if (node.Default is not { } standard)
        {
            return;
        }

        switch (node.Kind)
        {
            case OptionKind.Flag:
                writer.WriteBoolean("default", standard == "true");
                break;
            case OptionKind.Count or OptionKind.Share:
                writer.WritePropertyName("default");
                writer.WriteRawValue(standard);
                break;
            default:
                writer.WriteString("default", standard);
                break;
        }
    }

    /// <summary>Null is the same as absence, except where the value is required or an entry.</summary>
    private static void Type(Utf8JsonWriter writer, OptionNode node, string type)
    {
        if (node.IsRequired || node.Name is "position" or "" || node.Kind == OptionKind.Block)
        {
            writer.WriteString("type", type);
            return;
        }

        Strings(writer, "type", [type, "null"]);
    }

    private static void Bound(Utf8JsonWriter writer, string name, double? bound)
    {
        if (bound is { } value && value is > int.MinValue and < int.MaxValue)
        {
            writer.WritePropertyName(name);
            writer.WriteRawValue(value.ToString("R", CultureInfo.InvariantCulture));
        }
    }

    private static void Strings(Utf8JsonWriter writer, string name, IEnumerable<string> values)
    {
        writer.WriteStartArray(name);
        foreach (var value in values)
        {
            writer.WriteStringValue(value);
        }

        writer.WriteEndArray();
    }

    private static string Describe(OptionNode node)
    {
        var text = node.Description;
        if (node.DefaultText is { } inWords)
        {
            text += $" Default: {inWords}.";
        }

        return node.Kind == OptionKind.Time && node.RangeText is { } range ? $"{text} Range: {range}." : text;
    }
}
