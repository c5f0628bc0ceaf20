namespace ProxyGateway.StreamingFallback.Telemetry;

internal enum MetricKind
{
    Counter,
    Gauge,
    Histogram,
}

/// <summary>A label and what it may say.</summary>
/// <param name="Name">In OpenTelemetry's form.</param>
/// <param name="Values">The closed list; null where the values are names from the configuration.</param>
internal sealed record MetricLabel(string Name, IReadOnlyList<string>? Values = null)
{
    public string ExportedName => Name.Replace('.', '_');
}

/// <summary>One metric: what the meter is made from and the reference is written from.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Name">In OpenTelemetry's form.</param>
/// <param name="Unit">In UCUM; null for a plain number.</param>
/// <param name="Description">A sentence.</param>
/// <param name="Labels">Every label it may have.</param>
internal sealed record MetricDefinition(MetricKind Kind, string Name, string? Unit, string Description, params MetricLabel[] Labels)
{
    /// <summary>Where a histogram's buckets end; null for other kinds.</summary>
    public double[]? Buckets { get; init; }

    /// <summary>The name that Prometheus sees (OpenTelemetry specification, "Prometheus and OpenMetrics Compatibility").</summary>
    public string ExportedName => Name.Replace('.', '_')
        + Unit switch
        {
            "s" => "_seconds",
            "By" => "_bytes",
            _ => "",
        }
        + (Kind == MetricKind.Counter ? "_total" : "");
}
