using System.Diagnostics;

namespace ProxyGateway.StreamingFallback.Transforms;

/// <summary>
/// Tells an upstream of the nearest span that somebody collects. HttpClient makes one of its own for every call, whether or not
/// anybody does; as the upstream's parent it would lead nowhere.
/// </summary>
internal sealed class CollectedSpanPropagator(DistributedContextPropagator inner) : DistributedContextPropagator
{
    public override IReadOnlyCollection<string> Fields => inner.Fields;

    public override void Inject(Activity? activity, object? carrier, PropagatorSetterCallback? setter)
    {
        var collected = activity;
        while (collected is not null && collected.Source.Name.Length == 0)
        {
            collected = collected.Parent;
        }

        inner.Inject(collected ?? activity, carrier, setter);
    }

    public override void ExtractTraceIdAndState(object? carrier, PropagatorGetterCallback? getter, out string? traceId, out string? traceState) =>
        inner.ExtractTraceIdAndState(carrier, getter, out traceId, out traceState);

    public override IEnumerable<KeyValuePair<string, string?>>? ExtractBaggage(object? carrier, PropagatorGetterCallback? getter) =>
        inner.ExtractBaggage(carrier, getter);
}
