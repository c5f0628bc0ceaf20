using ProxyGateway.Configuration.Parsing;

namespace ProxyGateway.Configuration.Validation;

internal enum Severity
{
    Error,
    Warning,
}

/// <summary>One finding: where, about what, what is wrong, and what would be right.</summary>
internal sealed record Diagnostic(Severity Severity, SettingOrigin Origin, string Path, string What, string? Value, string Remedy)
{
    public string SeverityName => Severity == Severity.Error ? "error" : "warning";

    /// <summary>The form compilers use, so that editors can jump to the place.</summary>
    public override string ToString() =>
        $"{Origin}: {SeverityName}: {Path}: {What}{(Value is null ? "" : $" ({Value})")}; {Remedy}";
}
