namespace ProxyGateway.StreamingFallback.ChatFormats.Gemini;

/// <summary>
/// The parts of a Gemini path that say what is wanted: <c>…/models/MODEL:streamGenerateContent?alt=sse</c>. Path and
/// query decide, not the body.
/// </summary>
internal static class GeminiTarget
{
    private const string StreamMethod = ":streamGenerateContent";
    private const string WholeMethod = ":generateContent";

    /// <summary>
    /// Whether <paramref name="target"/> asks for a stream. Where it has a query, that must say <c>alt=sse</c>: without,
    /// the answer is one JSON array and no event stream.
    /// </summary>
    public static bool IsStreaming(string target)
    {
        var query = target.IndexOf('?');
        var path = query < 0 ? target : target[..query];
        return path.EndsWith(StreamMethod, StringComparison.Ordinal) && (query < 0 || IndexOfAltSse(target[query..]) >= 0);
    }

    /// <summary>The model named in <paramref name="target"/>; null where there is none.</summary>
    public static string? Model(string target)
    {
        var path = target.Split('?', 2)[0];
        return TryFindModel(path, out var model) ? path[model] : null;
    }

    /// <summary>The target of an attempt, or null where it is the client's own.</summary>
    public static (string Path, string Query)? Rewrite(string path, string query, bool whole, string? model)
    {
        var (newPath, newQuery) = (path, query);
        if (model is not null && TryFindModel(path, out var range))
        {
            newPath = string.Concat(path.AsSpan(0, range.Start.Value), model, path.AsSpan(range.End.Value));
        }

        if (whole && newPath.EndsWith(StreamMethod, StringComparison.Ordinal))
        {
            newPath = string.Concat(newPath.AsSpan(0, newPath.Length - StreamMethod.Length), WholeMethod);
            newQuery = WithoutAltSse(query);
        }

        return newPath == path && newQuery == query ? null : (newPath, newQuery);
    }

    private static bool TryFindModel(string path, out Range model)
    {
        var colon = path.LastIndexOf(':');
        var slash = colon < 0 ? -1 : path.LastIndexOf('/', colon);
        model = (slash + 1)..Math.Max(colon, 0);
        return slash >= 0 && slash + 1 < colon;
    }

    /// <summary>Cuts <c>alt=sse</c> out; every other byte of the query (a key) stays.</summary>
    private static string WithoutAltSse(string query)
    {
        var at = IndexOfAltSse(query);
        if (at < 0)
        {
            return query;
        }

        const int Length = 7;
        var after = at + Length;
        return after < query.Length
            ? string.Concat(query.AsSpan(0, at), query.AsSpan(after + 1))
            : query[..(at - 1)];
    }

    /// <summary>Where the parameter stands in a query that begins with its question mark.</summary>
    private static int IndexOfAltSse(string query)
    {
        const string Parameter = "alt=sse";
        for (var at = query.IndexOf(Parameter, StringComparison.Ordinal); at > 0; at = query.IndexOf(Parameter, at + 1, StringComparison.Ordinal))
        {
            var end = at + Parameter.Length;
            if (query[at - 1] is '?' or '&' && (end == query.Length || query[end] == '&'))
            {
                return at;
            }
        }

        return -1;
    }
}
