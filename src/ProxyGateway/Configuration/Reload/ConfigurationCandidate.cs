using ProxyGateway.Configuration.Merging;
using ProxyGateway.Configuration.Parsing;
using ProxyGateway.Configuration.Validation;

namespace ProxyGateway.Configuration.Reload;

/// <summary>What was found on disk, parsed, merged and judged. Nothing of the running proxy knows of it yet.</summary>
internal sealed record ConfigurationCandidate(
    RawConfiguration Raw,
    ConfigurationSnapshot Snapshot,
    IReadOnlyList<Diagnostic> Diagnostics)
{
    public bool IsReadable => Raw.Text is not null;

    public bool IsValid => IsReadable && Errors.Count == 0;

    public IReadOnlyList<Diagnostic> Errors => [.. Diagnostics.Where(d => d.Severity == Severity.Error)];

    public IReadOnlyList<Diagnostic> Warnings => [.. Diagnostics.Where(d => d.Severity == Severity.Warning)];

    /// <summary>0 valid, 1 invalid, 2 unreadable: of <c>check</c>, and of a start that fails.</summary>
    public int ExitCode => !IsReadable ? 2 : IsValid ? 0 : 1;
}

/// <summary>Raw → parsed → merged → validated. Pure but for the questions validation asks the machine.</summary>
internal sealed class CandidateBuilder(ConfigurationInputs inputs, ValidationContext context)
{
    public ConfigurationCandidate Build(RawConfiguration raw)
    {
        var diagnostics = new DiagnosticBag();
        if (raw.Text is null)
        {
            diagnostics.Error(new SettingOrigin(inputs.File), "(file)", $"the file {raw.Failure}", null, "name a readable file");
            return new ConfigurationCandidate(raw, ConfigurationSnapshot.Empty, diagnostics.Sorted());
        }

        var root = SettingsParser.Parse(raw.Text, inputs.File, diagnostics);
        if (diagnostics.HasErrors && root.Children.Count == 0)
        {
            return new ConfigurationCandidate(raw, ConfigurationSnapshot.Empty, diagnostics.Sorted());
        }

        if (raw.SecretsFailure is { } failure)
        {
            var place = root.Find("Gateway", "SecretsDirectory")?.Origin ?? new SettingOrigin($"environment {ConfigurationInputs.SecretsDirectoryVariable}");
            diagnostics.Error(place, "Gateway:SecretsDirectory", failure, null, "make it readable, or take the setting out");
        }

        SettingsMerger.Merge(root, inputs, raw.Secrets, diagnostics);
        MakeAbsolute(root.Find("Gateway", "Certificate", "Path"));
        MakeAbsolute(root.Find("Gateway", "Certificate", "KeyPath"));
        MakeAbsolute(root.Find("Gateway", "Backplane", "ConnectionStringFile"));
        foreach (var cluster in root.Find("ReverseProxy", "Clusters")?.Children ?? [])
        {
            MakeAbsolute(cluster.Find("Credentials", "ValueFile"));
        }

        var snapshot = ConfigurationSnapshot.Of(root);
        try
        {
            ConfigurationValidator.Validate(root, snapshot.Values, context, diagnostics);
        }
        catch (Exception exception) when (exception is not OutOfMemoryException)
        {
            // A rule (or YARP's) met something it cannot judge. On a timer's thread an exception would end the process,
            // and what cannot be judged must not serve.
            diagnostics.Error(root.Origin, "(file)", $"could not be judged: {exception.GetType().Name}", null, "undo the last edit, and please report the file");
        }

        return new ConfigurationCandidate(raw, snapshot, diagnostics.Sorted());
    }

    /// <summary>Files are named relative to the configuration file, wherever the process was started.</summary>
    private void MakeAbsolute(SettingNode? path)
    {
        if (path is { Kind: SettingKind.Text, Value.Length: > 0 })
        {
            path.Replace(Path.Combine(Path.GetDirectoryName(Path.GetFullPath(inputs.File))!, path.Value), path.Origin);
        }
    }
}
