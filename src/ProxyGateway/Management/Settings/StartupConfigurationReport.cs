using System.Text.Json.Nodes;

namespace ProxyGateway.Management.Settings;

/// <summary>Of a process that read its configuration when it started and does not read it again.</summary>
internal sealed class StartupConfigurationReport(IConfiguration configuration, TimeProvider time) : IConfigurationReport
{
    public ConfigurationState State { get; } = new(1, time.GetUtcNow(), null);

    public JsonObject Redacted() => RedactedConfiguration.Of(configuration);

    public Task<ReloadOutcome> ReloadAsync(bool dryRun, CancellationToken cancellationToken) => Task.FromResult(new ReloadOutcome(
        Success: false, dryRun, Supported: false, State.Version, time.GetUtcNow(), "This process reads its configuration when it starts; restart it to load another.", []));
}
