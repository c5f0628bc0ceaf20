using System.Text.Json.Nodes;
using ProxyGateway.Configuration.Reload;

namespace ProxyGateway.Management.Settings;

/// <summary>Of a process that keeps its configuration fresh.</summary>
internal sealed class ReloadingConfigurationReport(ConfigurationReloader reloader, IConfiguration configuration) : IConfigurationReport
{
    public ConfigurationState State
    {
        get
        {
            var state = reloader.State;
            return new ConfigurationState(state.Version, state.LastSuccess, Describe(state.LastResult));
        }
    }

    public JsonObject Redacted() => RedactedConfiguration.Of(configuration);

    /// <summary>Reads files and calls whoever listens for changes: not on the thread that serves the request.</summary>
    public Task<ReloadOutcome> ReloadAsync(bool dryRun, CancellationToken cancellationToken) =>
        Task.Run(() => Describe(reloader.Reload(dryRun)), cancellationToken);

    private static ReloadOutcome Describe(ReloadResult r) => new(
        r.Success, r.DryRun, Supported: true, r.Version, r.At, r.Summary, [.. r.Diagnostics.Select(d => d.ToString())]);
}
