namespace ProxyGateway.StreamingFallback.ChatFormats.OpenAIChat;

/// <summary>Whether what was delivered is the beginning of a whole answer. Compares decoded text, ordinally.</summary>
internal static class OpenAIChatSplice
{
    public static bool Continues(OpenAIChatReader delivered, OpenAIChatAnswer answer)
    {
        foreach (var choice in delivered.Choices)
        {
            if (answer.Choices.FirstOrDefault(c => c.Index == choice.Index) is not { } whole || !Continues(choice, whole))
            {
                return false;
            }
        }

        return true;
    }

    private static bool Continues(DeliveredChoice delivered, AnswerChoice whole)
    {
        // What stands later in an answer closes what stands before it: once content flows, reasoning must be whole.
        var mustBeWhole = delivered.Finished || delivered.ToolCalls.Count > 0;
        if (!ContinuesToolCalls(delivered, whole))
        {
            return false;
        }

        for (var channel = DeliveredChoice.ChannelCount - 1; channel >= 0; channel--)
        {
            var have = delivered.TextOrEmpty((TextChannel)channel);
            var all = whole.Texts[channel].AsSpan();
            if (!all.StartsWith(have) || (mustBeWhole && have.Length != all.Length))
            {
                return false;
            }

            mustBeWhole |= have.Length > 0;
        }

        return true;
    }

    private static bool ContinuesToolCalls(DeliveredChoice delivered, AnswerChoice whole)
    {
        var have = delivered.ToolCalls;
        if (have.Count > whole.ToolCalls.Count || (delivered.Finished && have.Count != whole.ToolCalls.Count))
        {
            return false;
        }

        for (var i = 0; i < have.Count; i++)
        {
            var call = whole.ToolCalls[i];
            var isOpen = i == have.Count - 1 && !delivered.Finished;
            var arguments = have[i].Arguments.Span;
            if (!have[i].Name.Span.SequenceEqual(call.Name)
                || (have[i].Index < 0) != call.IsLegacy
                || !call.Arguments.AsSpan().StartsWith(arguments)
                || (!isOpen && arguments.Length != call.Arguments.Length))
            {
                return false;
            }
        }

        return true;
    }
}
