using ProxyGateway.Configuration.Catalogue;

namespace ProxyGateway.Configuration.Validation;

/// <summary>
/// Clocks that contradict each other. A time that somebody wrote and that can never take effect is an error; a written
/// time that makes another one's default irrelevant is what it was written for.
/// </summary>
internal static class TimeoutRules
{
    public static void Check(GatewayModel model, DiagnosticBag diagnostics)
    {
        var recovery = TimeSetting.Read(model.Root, "StreamingFallback", "RecoveryTimeout", FallbackCatalogue.Section);
        foreach (var cluster in model.Clusters)
        {
            var headers = cluster.Time("Timeouts", "ResponseHeaders");
            var content = cluster.Time("Timeouts", "FirstContent");
            var replay = cluster.Time("Timeouts", "Replay");
            NeverFires(cluster.Time("Timeouts", "Connect"), headers, "ResponseHeaders", diagnostics);
            NeverFires(headers, content, "FirstContent", diagnostics);
            NeverFires(replay, recovery, "StreamingFallback:RecoveryTimeout", diagnostics);
            NeverFires(cluster.Time("Retry", "MaxRetryAfter"), recovery, "StreamingFallback:RecoveryTimeout", diagnostics);
            NeverFires(cluster.Time("Retry", "Backoff"), recovery, "StreamingFallback:RecoveryTimeout", diagnostics);
            NeverFires(cluster.Time("Hedging", "Delay"), content, "FirstContent", diagnostics);
            NeverFires(cluster.Time("Hedging", "MinDelay"), content, "FirstContent", diagnostics);
            NeverFires(cluster.Time("Reconnect", "Delay"), cluster.Time("Reconnect", "MaxDelay"), "MaxDelay", diagnostics);
            var answer = cluster.Time("Timeouts", "Answer");
            // An activity timeout that was written limits the default for whole answers, as it does in YARP.
            CheckActivity(cluster, [content, cluster.Time("Timeouts", "Idle"), replay, .. answer.IsWritten ? [answer] : Array.Empty<TimeSetting>()], diagnostics);
        }

        foreach (var route in model.Routes.Where(r => r.IsGuarded))
        {
            foreach (var name in new[] { "Timeout", "TimeoutPolicy" })
            {
                if (route.Node[name] is { IsScalar: true } timeout)
                {
                    diagnostics.Warning(timeout, "aborts the client in mid-stream on a guarded route", "leave it out; the cluster's Timeouts watch the stream");
                }
            }
        }
    }

    private static void NeverFires(TimeSetting clock, TimeSetting limit, string limitName, DiagnosticBag diagnostics)
    {
        if (clock.Node is { } written && clock.Value > limit.Value)
        {
            var standard = limit.IsWritten ? "" : ", the default";
            diagnostics.Error(
                written,
                $"can never be reached, because {limitName} is {limit.Text}{standard}",
                $"use at most {limit.Text}, or make {limitName} longer");
        }
    }

    private static void CheckActivity(ClusterModel cluster, TimeSetting[] clocks, DiagnosticBag diagnostics)
    {
        var longest = clocks.Max(c => c.Value);
        if (cluster.Node.Find("HttpRequest", "ActivityTimeout") is { IsScalar: true } activity
            && DurationText.TryParse(activity.Value, out var time)
            && time <= longest)
        {
            diagnostics.Error(
                activity,
                $"cuts requests off before the cluster's own clocks do, the longest of which is {DurationText.Format(longest)}",
                $"use more than {DurationText.Format(longest)}, or leave it out");
        }
    }
}
