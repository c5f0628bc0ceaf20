namespace ProxyGateway.Configuration.Validation;

/// <summary>Finds what a misspelt name was meant to be.</summary>
internal static class NearMiss
{
    /// <summary>The likeliest candidate, null where none is near.</summary>
    public static string? Find(string written, IEnumerable<string> candidates)
    {
        string? best = null;
        var bestDistance = int.MaxValue;
        foreach (var candidate in candidates)
        {
            var distance = Distance(written.ToLowerInvariant(), candidate.ToLowerInvariant());
            if (distance < bestDistance)
            {
                (best, bestDistance) = (candidate, distance);
            }
        }

        return best is not null && bestDistance <= Allowed(Math.Min(written.Length, best.Length)) ? best : null;
    }

    /// <summary>"did you mean X?", or the list of what there is.</summary>
    public static string Suggest(string written, IEnumerable<string> candidates, string kind)
    {
        var all = candidates.ToList();
        if (Find(written, all) is { } meant)
        {
            return $"did you mean {meant}?";
        }

        return all.Count == 0 ? $"there are no {kind} yet" : $"the {kind} are {string.Join(", ", all)}";
    }

    /// <summary>Short names are near to everything, so they may differ less.</summary>
    private static int Allowed(int length) => length < 5 ? 1 : Math.Max(2, length / 3);

    /// <summary>Insertions, deletions, replacements and swaps of neighbours that turn one into the other.</summary>
    private static int Distance(string a, string b)
    {
        var rows = new int[a.Length + 1, b.Length + 1];
        for (var i = 0; i <= a.Length; i++)
        {
            rows[i, 0] = i;
        }

        for (var j = 0; j <= b.Length; j++)
        {
            rows[0, j] = j;
        }

        for (var i = 1; i <= a.Length; i++)
        {
            for (var j = 1; j <= b.Length; j++)
            {
                var replace = rows[i - 1, j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
                var best = Math.Min(replace, Math.Min(rows[i - 1, j], rows[i, j - 1]) + 1);
                if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                {
                    best = Math.Min(best, rows[i - 2, j - 2] + 1);
                }

                rows[i, j] = best;
            }
        }

        return rows[a.Length, b.Length];
    }
}
