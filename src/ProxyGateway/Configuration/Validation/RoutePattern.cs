namespace ProxyGateway.Configuration.Validation;

/// <summary>A route's path pattern, as far as covering another one can be told from the text.</summary>
internal sealed class RoutePattern
{
    private readonly string[] _segments;

    private RoutePattern(string[] segments) => _segments = segments;

    public static RoutePattern Parse(string? path) =>
        new(string.IsNullOrEmpty(path) ? ["{**rest}"] : path.Trim('/').Split('/', StringSplitOptions.RemoveEmptyEntries));

    /// <summary>Whether both take the same paths, whatever their parameters are called.</summary>
    public bool IsSameAs(RoutePattern other) => Shape() == other.Shape();

    /// <summary>Whether every path that the other takes is taken by this one. False where that cannot be told.</summary>
    public bool Covers(RoutePattern other)
    {
        for (var i = 0; i < _segments.Length; i++)
        {
            if (IsCatchAll(_segments[i]))
            {
                return !_segments[i].Contains(':', StringComparison.Ordinal);
            }

            if (i >= other._segments.Length || IsCatchAll(other._segments[i]) || other._segments[i].EndsWith("?}", StringComparison.Ordinal))
            {
                return false;
            }

            var isFree = IsParameter(_segments[i]) && !_segments[i].Contains(':', StringComparison.Ordinal);
            if (!isFree && !_segments[i].Equals(other._segments[i], StringComparison.OrdinalIgnoreCase))
            {
                return false;
            }
        }

        return _segments.Length == other._segments.Length;
    }

    private string Shape() => string.Join('/', _segments.Select(Shape)).ToLowerInvariant();

    private static string Shape(string segment)
    {
        if (IsCatchAll(segment))
        {
            return "{**}";
        }

        if (!IsParameter(segment))
        {
            return segment;
        }

        var colon = segment.IndexOf(':', StringComparison.Ordinal);
        return colon < 0 ? (segment.EndsWith("?}", StringComparison.Ordinal) ? "{?}" : "{}") : "{" + segment[colon..];
    }

    private static bool IsParameter(string segment) =>
        segment.StartsWith('{') && segment.EndsWith('}') && segment.IndexOf('{', 1) < 0;

    private static bool IsCatchAll(string segment) => segment.StartsWith("{*", StringComparison.Ordinal);
}
