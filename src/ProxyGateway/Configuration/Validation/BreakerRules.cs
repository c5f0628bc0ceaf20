using System.Globalization;
using ProxyGateway.Configuration.Catalogue;
using ProxyGateway.Configuration.Parsing;

namespace ProxyGateway.Configuration.Validation;

/// <summary>Circuit breakers that can never open, and settings of theirs that have no effect.</summary>
internal static class BreakerRules
{
    /// <summary>No single gateway process finishes more exchanges than this; a window that asks for more never fills.</summary>
    private const double MostExchangesPerSecond = 10_000;

    private static readonly string[] s_ratioOnly = ["FailureRatio", "SamplingDuration", "MinimumThroughput"];
    private static readonly string[] s_consecutiveOnly = ["FailureThreshold"];

    public static void Check(GatewayModel model, DiagnosticBag diagnostics)
    {
        foreach (var cluster in model.Clusters)
        {
            if (cluster.Node["CircuitBreaker"] is { Kind: SettingKind.Object } breaker)
            {
                Check(cluster, breaker, diagnostics);
            }
        }
    }

    private static void Check(ClusterModel cluster, SettingNode breaker, DiagnosticBag diagnostics)
    {
        if (IsFalse(breaker["Enabled"]))
        {
            foreach (var other in breaker.Children.Where(c => !c.Name.Equals("Enabled", StringComparison.OrdinalIgnoreCase)))
            {
                diagnostics.KeyWarning(other, "has no effect, because this circuit breaker is switched off", "set Enabled to true, or take the line out");
            }

            return;
        }

        CheckMode(cluster, breaker, diagnostics);
        CheckBreaks(cluster, breaker, diagnostics);

        if (breaker["OnOpen"] is { IsScalar: true } onOpen
            && onOpen.Value!.Equals("Fallback", StringComparison.OrdinalIgnoreCase)
            && !cluster.Fallback.Any())
        {
            diagnostics.Error(onOpen, "the cluster has no fallback to go to", "add a Fallback list, or use Reject");
        }
    }

    private static void CheckMode(ClusterModel cluster, SettingNode breaker, DiagnosticBag diagnostics)
    {
        var isRatio = "Ratio".Equals(breaker["Mode"]?.Value, StringComparison.OrdinalIgnoreCase);
        foreach (var idle in (isRatio ? s_consecutiveOnly : s_ratioOnly).Select(n => breaker[n]).OfType<SettingNode>())
        {
            diagnostics.KeyWarning(
                idle,
                $"has no effect in Mode {(isRatio ? "Ratio" : "Consecutive")}",
                $"set Mode to {(isRatio ? "Consecutive" : "Ratio")}, or take the line out");
        }

        if (!isRatio)
        {
            return;
        }

        var window = cluster.Time("CircuitBreaker", "SamplingDuration");
        var throughput = breaker["MinimumThroughput"];
        if (throughput is { IsScalar: true }
            && double.TryParse(throughput.Value, NumberStyles.Float, CultureInfo.InvariantCulture, out var fewest)
            && fewest > window.Value.TotalSeconds * MostExchangesPerSecond)
        {
            diagnostics.Error(
                throughput,
                $"the circuit can never open: no gateway has that many exchanges in {window.Text}",
                $"use at most {NumberText.Format(Math.Floor(window.Value.TotalSeconds * MostExchangesPerSecond))}, or a longer SamplingDuration");
        }
    }

    private static void CheckBreaks(ClusterModel cluster, SettingNode breaker, DiagnosticBag diagnostics)
    {
        var first = cluster.Time("CircuitBreaker", "BreakDuration");
        var longest = cluster.Time("CircuitBreaker", "MaxBreakDuration");
        if (first.Value > longest.Value && (longest.Node ?? first.Node) is { } written)
        {
            diagnostics.Error(
                written,
                $"BreakDuration ({first.Text}) is longer than MaxBreakDuration ({longest.Text})",
                longest.IsWritten ? $"set MaxBreakDuration to {first.Text} or more" : $"set MaxBreakDuration too, to {first.Text} or more");
        }

        var slow = cluster.Time("CircuitBreaker", "SlowCallThreshold");
        var content = cluster.Time("Timeouts", "FirstContent");
        if (slow.Node is { } slowNode && slow.Value >= content.Value)
        {
            diagnostics.Error(
                slowNode,
                $"no call can ever count as slow: Timeouts:FirstContent ends it after {content.Text}",
                $"use less than {content.Text}, or a longer FirstContent");
        }
    }

    private static bool IsFalse(SettingNode? node) => bool.TryParse(node?.Value, out var on) && !on;
}
