namespace ProxyGateway.StreamingFallback.Configuration;

/// <summary>A pattern for model names: <c>*</c> stands for any text, <c>?</c> for one character; the case is ignored.</summary>
internal sealed class ModelPattern(string pattern)
{
    public string Text => pattern;

    public bool Matches(string model)
    {
        // Greedy with one point to go back to: linear for one star, and never worse than pattern × model.
        int p = 0, m = 0, star = -1, resume = 0;
        while (m < model.Length)
        {
            if (p < pattern.Length && pattern[p] == '*')
            {
                star = p++;
                resume = m;
            }
            else if (p < pattern.Length && (pattern[p] == '?' || char.ToUpperInvariant(pattern[p]) == char.ToUpperInvariant(model[m])))
            {
                p++;
                m++;
            }
            else if (star >= 0)
            {
                p = star + 1;
                m = ++resume;
            }
            else
            {
                return false;
            }
        }

        return pattern.AsSpan(p).Trim('*').IsEmpty;
    }
}
