using System.Collections.Concurrent;
using System.Diagnostics;
using ProxyGateway.StreamingFallback.Telemetry;

namespace ProxyGateway.IntegrationTests.Telemetry;

/// <summary>The spans that ended while this listens.</summary>
internal sealed class RecordedSpans : IDisposable
{
    private readonly ActivityListener _listener;
    private readonly ConcurrentQueue<Activity> _ended = new();

    public RecordedSpans()
    {
        _listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == GatewayTracing.SourceName,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = _ended.Enqueue,
        };
        ActivitySource.AddActivityListener(_listener);
    }

    public IReadOnlyList<Activity> Exchanges => [.. _ended.Where(s => s.Kind == ActivityKind.Server)];

    public IReadOnlyList<Activity> Attempts => [.. _ended.Where(s => s.Kind == ActivityKind.Client).OrderBy(s => (int)s.GetTagItem("proxygateway.attempt.number")!)];

    public void Dispose() => _listener.Dispose();
}
