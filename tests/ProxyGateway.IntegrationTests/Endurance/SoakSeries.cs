using System.Diagnostics;
using System.Globalization;
using ProxyGateway.IntegrationTests.Hostile;
using Xunit;

namespace ProxyGateway.IntegrationTests.Endurance;

/// <summary>What a watched gateway process used, over time.</summary>
internal sealed class SoakSeries
{
    private const double Megabyte = 1 << 20;
    private const string Memory = "resident MB";
    private const string Heap = "heap MB";

    private readonly Dictionary<string, List<(double Minutes, double Value)>> _readings = [];
    private int _seen;

    public async Task WatchAsync(GatewayProcess gateway, string samples, Stopwatch since, TimeSpan interval, CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            var now = since.Elapsed.TotalMinutes;
            Add(Memory, now, gateway.Resident / Megabyte);
            Add("threads", now, gateway.Threads);
            var open = gateway.OpenFiles;
            Add("handles", now, open.Count);
            Add("sockets", now, open.Count(f => f.StartsWith("socket:", StringComparison.Ordinal)));
            ReadInside(samples, now);
            await Task.Delay(interval, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Says what each series did from <paramref name="from"/> on.</summary>
    public IReadOnlyDictionary<string, Drift> Report(double from)
    {
        var drifts = _readings.ToDictionary(r => r.Key, r => Drift.Of([.. r.Value.Where(v => v.Minutes >= from)]));
        foreach (var (name, readings) in _readings)
        {
            var late = readings.Where(r => r.Minutes >= from).Select(r => r.Value).DefaultIfEmpty().ToList();
            Figures.Write("soak", string.Create(CultureInfo.InvariantCulture, $"{name}: {drifts[name].PerMinute:+0.000;-0.000} a minute after the first {from:0.#} min; mean {drifts[name].Mean:0.0}, {late.Min():0.0} to {late.Max():0.0}, {late.Count} readings"));
        }

        return drifts;
    }

    /// <summary>Memory grows by less than 1 MB a minute; what is counted grows by no more than chance over the time that was watched.</summary>
    public void AssertFlat(IReadOnlyDictionary<string, Drift> drifts, double minutes) => Assert.All(drifts, d =>
    {
        var allowed = d.Key is Memory or Heap ? 1 : Math.Max(3, d.Value.Mean * 0.1) / minutes;
        Assert.True(d.Value.PerMinute < allowed, $"{d.Key} grows by {d.Value.PerMinute} a minute");
    });

    private void ReadInside(string samples, double now)
    {
        if (!File.Exists(samples))
        {
            return;
        }

        string[] lines = [.. File.ReadAllLines(samples).Where(l => !l.StartsWith('!'))];
        foreach (var line in lines.Skip(_seen))
        {
            double[] values = [.. line.Split(' ').Select(v => double.Parse(v, CultureInfo.InvariantCulture))];
            Add(Heap, now, values[0] / Megabyte);
            Add("pool threads", now, values[1]);
            Add("timers", now, values[2]);
        }

        _seen = lines.Length;
    }

    private void Add(string name, double minutes, double value)
    {
        if (!_readings.TryGetValue(name, out var readings))
        {
            _readings[name] = readings = [];
        }

        readings.Add((minutes, value));
    }
}
