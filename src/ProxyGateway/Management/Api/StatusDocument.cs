using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using ProxyGateway.Management.Settings;

namespace ProxyGateway.Management.Api;

/// <summary>This replica at one moment.</summary>
internal sealed record StatusDocument
{
    public required DateTimeOffset Time { get; init; }

    public required string Version { get; init; }

    public required long UptimeMs { get; init; }

    public required bool Ready { get; init; }

    /// <summary>Exchanges in flight, all of them.</summary>
    public required int Active { get; init; }

    /// <summary>Exchanges that ended since the start, by outcome.</summary>
    public required OutcomeTotals Totals { get; init; }

    public required IReadOnlyList<ClusterStatus> Clusters { get; init; }

    /// <summary>The oldest in flight; <see cref="Active"/> says how many there are.</summary>
    public required IReadOnlyList<ExchangeStatus> Exchanges { get; init; }

    /// <summary>Newest first. Absent from the snapshots of a stream, which tells of each by itself.</summary>
    public IReadOnlyList<RecoveryRecord>? Recoveries { get; init; }

    /// <inheritdoc cref="Recoveries"/>
    public IReadOnlyList<CircuitChangeRecord>? CircuitChanges { get; init; }

    public required ConfigurationState Configuration { get; init; }
}

internal sealed record OutcomeTotals(long Completed, long Recovered, long Terminated, long Failed, long Relayed, long Rejected, long ClientGone);

/// <param name="Guarded">Whether a chat route leads here: only then its circuits are looked at.</param>
internal sealed record ClusterStatus(
    string Id,
    bool Guarded,
    IReadOnlyList<string> Fallback,
    CircuitPair Circuits,
    IReadOnlyList<DestinationStatus> Destinations);

internal sealed record CircuitPair(CircuitState Cluster, CircuitState Streaming);

/// <param name="State">closed, open, half_open, isolated.</param>
/// <param name="Enabled">False where the configuration switches the breaker off.</param>
/// <param name="HalfOpenInMs">How long nobody gets in; null unless open.</param>
/// <param name="FailureThreshold">How many failures in a row open it.</param>
/// <param name="Breaks">Breaks since the last complete answer.</param>
/// <param name="Probes">Probes that are out without a verdict.</param>
internal sealed record CircuitState(
    string State,
    bool Enabled,
    long? HalfOpenInMs,
    int FailuresInARow,
    int FailureThreshold,
    bool OnProbation,
    int Breaks,
    int Probes,
    long? HintedMs);

/// <param name="Active">Of the active health check: healthy, unhealthy, unknown.</param>
/// <param name="Passive">Of the passive health check.</param>
/// <param name="Available">Whether load balancing may choose it.</param>
/// <param name="Requests">Upstream calls under way.</param>
internal sealed record DestinationStatus(string Id, string Address, string Active, string Passive, bool Available, int Requests);

/// <param name="SinceContentMs">Since content last arrived; null while none has.</param>
internal sealed record ExchangeStatus(
    string Id,
    string Route,
    string Cluster,
    bool Streaming,
    long AgeMs,
    long ContentEvents,
    long? SinceContentMs,
    int Attempts,
    bool Recovering);

/// <param name="Status">The upstream's status where it gave one, else null.</param>
/// <param name="Times">How many alike in a row this stands for.</param>
internal sealed record RecoveryRecord(
    long Number,
    DateTimeOffset Time,
    string Id,
    string Route,
    string Cluster,
    string Fault,
    string Phase,
    int? Status,
    string Outcome,
    string AnsweredBy,
    int Attempts,
    long DurationMs,
    long DeliveredBytes,
    int Times);

internal sealed record CircuitChangeRecord(
    long Number,
    DateTimeOffset Time,
    string Cluster,
    string Circuit,
    string From,
    string To,
    string Reason,
    long BreakMs,
    string? By,
    string? Why);

/// <param name="Columns">What the numbers of a sample are.</param>
/// <param name="Samples">Oldest first: Unix time in seconds, then counts as of that moment.</param>
internal sealed record TrafficDocument(IReadOnlyList<string> Columns, IReadOnlyList<long[]> Samples);

internal sealed record ConfigurationDocument(ConfigurationState State, JsonObject Active);

internal sealed record CircuitActionRequest(string? Why);

internal sealed record CircuitActionAnswer(string Cluster, string Circuit, string Action, CircuitState State);

internal sealed record ApiErrorAnswer(ApiError Error);

internal sealed record ApiError(string Code, string Message);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(StatusDocument))]
[JsonSerializable(typeof(RecoveryRecord))]
[JsonSerializable(typeof(CircuitChangeRecord))]
[JsonSerializable(typeof(TrafficDocument))]
[JsonSerializable(typeof(ConfigurationDocument))]
[JsonSerializable(typeof(ReloadOutcome))]
[JsonSerializable(typeof(CircuitActionRequest))]
[JsonSerializable(typeof(CircuitActionAnswer))]
[JsonSerializable(typeof(ApiErrorAnswer))]
internal sealed partial class ApiJson : JsonSerializerContext;
