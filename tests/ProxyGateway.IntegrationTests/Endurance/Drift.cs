namespace ProxyGateway.IntegrationTests.Endurance;

/// <summary>Where a series of readings is going: the straight line through them by least squares.</summary>
internal readonly record struct Drift(double PerMinute, double Mean)
{
    public static Drift Of(IReadOnlyCollection<(double Minutes, double Value)> readings)
    {
        if (readings.Count < 2)
        {
            return new Drift(0, readings.Select(r => r.Value).FirstOrDefault());
        }

        var (time, mean) = (readings.Average(r => r.Minutes), readings.Average(r => r.Value));
        return new Drift(readings.Sum(r => (r.Minutes - time) * (r.Value - mean)) / readings.Sum(r => (r.Minutes - time) * (r.Minutes - time)), mean);
    }
}
