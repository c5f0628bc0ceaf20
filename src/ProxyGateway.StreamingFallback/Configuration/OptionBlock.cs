using System.Globalization;
using System.Runtime.CompilerServices;

namespace ProxyGateway.StreamingFallback.Configuration;

/// <summary>
/// Holds the options of one block to what their documentation allows. A value beyond it is refused with its place in the
/// configuration: YARP reports the refusal, and an application that reads it may have no other check.
/// </summary>
/// <param name="path">Path of the block, as <c>Clusters:agent:Timeouts</c>.</param>
internal readonly struct OptionBlock(string path)
{
    /// <exception cref="InvalidOperationException">The value is out of its range.</exception>
    public T Within<T>(T value, T min, T max, [CallerArgumentExpression(nameof(value))] string option = "")
        where T : IComparable<T>
        // CompareTo sorts NaN below every number, so NaN is out of range as well.
        => value.CompareTo(min) >= 0 && value.CompareTo(max) <= 0 ? value : throw Refused(value, option, $"must be {Text(min)} to {Text(max)}");

    /// <summary>A share that may not be zero.</summary>
    /// <exception cref="InvalidOperationException">The value is out of its range.</exception>
    public double Above(double value, double min, double max, [CallerArgumentExpression(nameof(value))] string option = "") =>
        value > min && value <= max ? value : throw Refused(value, option, $"must be above {Text(min)} to {Text(max)}");

    /// <exception cref="InvalidOperationException">The value is none that its type names.</exception>
    public T Defined<T>(T value, [CallerArgumentExpression(nameof(value))] string option = "")
        where T : struct, Enum
        => Enum.IsDefined(value) ? value : throw Refused(value, option, $"must be one of {string.Join(", ", Enum.GetNames<T>())}");

    /// <summary>The option's name is the last part of the expression that its value came from.</summary>
    private InvalidOperationException Refused<T>(T value, string option, string allowed) =>
        new($"{path}:{option[(option.LastIndexOf('.') + 1)..]}: '{Text(value)}' {allowed}.");

    /// <summary>As the configuration writes it.</summary>
    private static string Text<T>(T value) => value switch
    {
        TimeSpan time when time.Ticks % TimeSpan.TicksPerSecond != 0 => time.ToString("c", CultureInfo.InvariantCulture).TrimEnd('0'),
        _ => string.Create(CultureInfo.InvariantCulture, $"{value}"),
    };
}
