using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using ProxyGateway.Configuration.Merging;
using ProxyGateway.Configuration.Reload;
using ProxyGateway.Configuration.Validation;

namespace ProxyGateway.Configuration.Commands;

internal enum CheckFormat
{
    Text,
    Json,
}

/// <summary>The verb <c>check</c>: judges as a start would, and changes nothing.</summary>
internal static class CheckCommand
{
    /// <summary>0 valid (warnings allowed), 1 invalid, 2 unreadable.</summary>
    public static int Run(string file, CheckFormat format, TextWriter output, TextWriter errors) =>
        Run(new ConfigurationInputs { File = file, Environment = ConfigurationInputs.ProcessEnvironment() }, format, output, errors);

    public static int Run(ConfigurationInputs inputs, CheckFormat format, TextWriter output, TextWriter errors, ValidationContext? context = null)
    {
        var candidate = GatewayConfiguration.Load(inputs, context).First;
        if (format == CheckFormat.Json)
        {
            output.WriteLine(Json(inputs.File, candidate));
            return candidate.ExitCode;
        }

        var to = candidate.IsReadable ? output : errors;
        foreach (var diagnostic in candidate.Diagnostics)
        {
            to.WriteLine(diagnostic);
        }

        if (candidate.IsReadable)
        {
            output.WriteLine($"{inputs.File}: {Verdict(candidate)}");
        }

        return candidate.ExitCode;
    }

    private static string Verdict(ConfigurationCandidate candidate)
    {
        if (!candidate.IsValid)
        {
            return $"invalid, {Counted(candidate.Errors.Count, "error")}, {Counted(candidate.Warnings.Count, "warning")}";
        }

        var model = GatewayModel.Of(candidate.Snapshot.Root);
        var warnings = candidate.Warnings.Count == 0 ? "" : $", {Counted(candidate.Warnings.Count, "warning")}";
        return $"ok, {Counted(model.Routes.Count, "route")}, {Counted(model.Clusters.Count, "cluster")}{warnings}";
    }

    private static string Counted(int count, string noun) => $"{count} {noun}{(count == 1 ? "" : "s")}";

    private static string Json(string file, ConfigurationCandidate candidate)
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream, new JsonWriterOptions { Indented = true, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            writer.WriteStartObject();
            writer.WriteString("file", file);
            writer.WriteBoolean("readable", candidate.IsReadable);
            writer.WriteBoolean("valid", candidate.IsValid);
            writer.WriteStartArray("diagnostics");
            foreach (var each in candidate.Diagnostics)
            {
                Write(writer, each);
            }

            writer.WriteEndArray();
            writer.WriteEndObject();
        }

        return Encoding.UTF8.GetString(stream.ToArray());
    }

    /// <summary>One finding as an object; the management API writes it the same way.</summary>
    public static void Write(Utf8JsonWriter writer, Diagnostic diagnostic)
    {
        writer.WriteStartObject();
        writer.WriteString("severity", diagnostic.SeverityName);
        writer.WriteString("source", diagnostic.Origin.Source);
        if (diagnostic.Origin.Line > 0)
        {
            writer.WriteNumber("line", diagnostic.Origin.Line);
            writer.WriteNumber("column", diagnostic.Origin.Column);
        }

        writer.WriteString("path", diagnostic.Path);
        writer.WriteString("message", diagnostic.What);
        if (diagnostic.Value is { } value)
        {
            writer.WriteString("value", value);
        }

        writer.WriteString("remedy", diagnostic.Remedy);
        writer.WriteEndObject();
    }
}
