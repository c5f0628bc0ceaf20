namespace ProxyGateway.StreamingFallback.ChatFormats.OpenAIResponses;

/// <summary>Whether what was delivered is the beginning of a whole answer.</summary>
internal static class OpenAIResponsesSplice
{
    public static bool Continues(OpenAIResponsesReader delivered, OpenAIResponsesAnswer answer)
    {
        var items = delivered.Ledger.Items;
        if (!delivered.CanSplice || items.Count > answer.Items.Count)
        {
            return false;
        }

        foreach (var item in items)
        {
            // The items are counted without a gap, and all but the last are closed by those that stand after them.
            if (item.OutputIndex >= items.Count
                || !ItemComparison.Continues(item, answer.Items[item.OutputIndex].Element, mustBeWhole: item.OutputIndex < items.Count - 1))
            {
                return false;
            }
        }

        return true;
    }
}
