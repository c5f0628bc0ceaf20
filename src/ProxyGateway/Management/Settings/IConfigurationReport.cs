using System.Text.Json.Nodes;

namespace ProxyGateway.Management.Settings;

/// <summary>What the management port knows of the configuration, and the one thing it can do to it.</summary>
internal interface IConfigurationReport
{
    /// <summary>What serves now.</summary>
    ConfigurationState State { get; }

    /// <summary>The active configuration, without secrets.</summary>
    JsonObject Redacted();

    /// <summary>Reads the configuration again and serves it where it is valid; a dry run only says what would happen.</summary>
    Task<ReloadOutcome> ReloadAsync(bool dryRun, CancellationToken cancellationToken);
}

/// <param name="Version">1 at the start; each reload that changed something adds one.</param>
/// <param name="LoadedAt">When it was last read and found valid.</param>
/// <param name="LastReload">The last load that was no dry run, the start's included; null where this process never loads again.</param>
internal sealed record ConfigurationState(long Version, DateTimeOffset LoadedAt, ReloadOutcome? LastReload);

/// <param name="Success">Whether what was read is what serves now (dry run: could serve).</param>
/// <param name="Supported">False where this process cannot read its configuration again at all.</param>
/// <param name="Version">What serves now.</param>
/// <param name="Summary">What changed, or why not, in words without values.</param>
/// <param name="Findings">Errors and warnings, one line each, without secrets.</param>
internal sealed record ReloadOutcome(
    bool Success,
    bool DryRun,
    bool Supported,
    long Version,
    DateTimeOffset At,
    string Summary,
    IReadOnlyList<string> Findings);
