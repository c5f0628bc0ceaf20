using ProxyGateway.Configuration.Validation;

namespace ProxyGateway.Configuration.Reload;

/// <summary>What one reload did, or (dry run) would do.</summary>
/// <param name="Version">The version that serves now; the first is 1, a swap adds one.</param>
/// <param name="Changes">Null where the candidate is invalid.</param>
internal sealed record ReloadResult(
    bool Success,
    bool DryRun,
    long Version,
    DateTimeOffset At,
    ConfigurationDifference? Changes,
    IReadOnlyList<Diagnostic> Diagnostics)
{
    public string Summary => Changes?.Summary ?? Rejection(Diagnostics);

    private static string Rejection(IReadOnlyList<Diagnostic> diagnostics)
    {
        const int shown = 3;
        var errors = diagnostics.Where(d => d.Severity == Severity.Error).ToList();
        var text = string.Join(" | ", errors.Take(shown));
        return errors.Count > shown ? $"{text} | and {errors.Count - shown} more" : text;
    }
}

/// <summary>The reloader's state at one moment, for metrics, <c>/api/config</c> and the status page.</summary>
/// <param name="LastResult">Of the last reload that was no dry run; the start counts as the first.</param>
/// <param name="LastSuccess">When a configuration was last read and found valid.</param>
internal sealed record ReloadState(long Version, ReloadResult LastResult, DateTimeOffset LastSuccess)
{
    public bool LastReloadSuccessful => LastResult.Success;
}
