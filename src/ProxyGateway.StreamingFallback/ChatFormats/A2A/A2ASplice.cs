namespace ProxyGateway.StreamingFallback.ChatFormats.A2A;

/// <summary>Whether what was delivered is the beginning of a whole answer. Compares decoded text, ordinally.</summary>
internal static class A2ASplice
{
    public static bool Continues(A2AReader delivered, A2AAnswer answer)
    {
        if (!delivered.CanSplice || answer.IsMessage || delivered.Artifacts.Count > answer.Artifacts.Count)
        {
            return false;
        }

        // Agents give artifacts new ids each time: it is their order that tells which is which.
        for (var i = 0; i < delivered.Artifacts.Count; i++)
        {
            var have = delivered.Artifacts[i];
            // What stands later in an answer closes what stands before it.
            var isOpen = i == delivered.Artifacts.Count - 1 && !have.Closed;
            if (answer.Artifacts[i].Text is not { } all
                || !all.AsSpan().StartsWith(have.Text.Span)
                || (!isOpen && all.Length != have.Text.Length))
            {
                return false;
            }
        }

        return true;
    }
}
