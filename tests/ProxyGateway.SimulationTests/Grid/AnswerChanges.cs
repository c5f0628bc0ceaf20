using System.Text;
using ProxyGateway.TestKit.Contract;

namespace ProxyGateway.SimulationTests.Grid;

/// <summary>Answers that differ from a given one: what a second run of a request may say instead.</summary>
internal static class AnswerChanges
{
    public static DecodedMessage WithOtherToolIds(DecodedMessage answer) => Copy(answer, (key, block) =>
        block.ToolId = key.Channel == Channel.Tool && block.ToolId is not null ? "other_" + block.ToolId : block.ToolId);

    /// <summary>Each text changed at its first, middle and last character, cut, and gone on with.</summary>
    public static IEnumerable<DecodedMessage> OfText(DecodedMessage answer)
    {
        foreach (var (key, block) in answer.Blocks)
        {
            if (key.Channel is not (Channel.Text or Channel.Reasoning or Channel.Refusal) || block.Text.Length == 0)
            {
                continue;
            }

            var text = block.Text.ToString();
            foreach (var at in new[] { 0, text.Length / 3, text.Length / 2, text.Length - 1 }.Distinct())
            {
                yield return WithText(answer, key, Changed(text, at));
            }

            yield return WithText(answer, key, text + " And more.");
            yield return WithText(answer, key, text[..Boundary(text, text.Length / 2)]);
        }
    }

    /// <summary>Each tool call with other arguments or another name, one call too many, one too few.</summary>
    public static IEnumerable<DecodedMessage> OfTools(DecodedMessage answer)
    {
        foreach (var (key, block) in answer.Blocks)
        {
            if (key.Channel != Channel.Tool)
            {
                continue;
            }

            var arguments = block.Text.ToString();
            foreach (var at in Enumerable.Range(0, arguments.Length).Where(i => char.IsAsciiLetterOrDigit(arguments[i])).Take(40))
            {
                yield return WithText(answer, key, Changed(arguments, at));
            }

            yield return WithText(answer, key, "{\"other\":1}");
            yield return Copy(answer, (k, b) => b.ToolName.Append(k == key ? "_other" : ""));
            yield return Without(answer, key);
            yield return With(answer, key with { Index = key.Index + 1 }, block);
        }
    }

    private static DecodedMessage WithText(DecodedMessage answer, BlockKey key, string text) => Copy(answer, (k, b) =>
    {
        if (k == key)
        {
            b.Text.Clear().Append(text);
        }
    });

    private static DecodedMessage Without(DecodedMessage answer, BlockKey key)
    {
        var copy = Copy(answer, (_, _) => { });
        copy.Blocks.Remove(key);
        return copy;
    }

    private static DecodedMessage With(DecodedMessage answer, BlockKey key, DecodedBlock like)
    {
        var copy = Copy(answer, (_, _) => { });
        if (!copy.Blocks.ContainsKey(key))
        {
            copy.Append(new ContractPart(key, like.Text.ToString(), "one_more", like.ToolName.ToString(), like.FreeText, like.Kind));
        }

        return copy;
    }

    private static DecodedMessage Copy(DecodedMessage answer, Action<BlockKey, DecodedBlock> change)
    {
        var copy = new DecodedMessage { UsageCount = answer.UsageCount };
        copy.Models.UnionWith(answer.Models);
        copy.Createds.UnionWith(answer.Createds);
        foreach (var (choice, reason) in answer.Finishes)
        {
            copy.Finishes[choice] = reason;
            copy.Choices.Add(choice);
        }

        foreach (var (key, block) in answer.Blocks)
        {
            copy.Append(new ContractPart(key, block.Text.ToString(), block.ToolId, block.ToolName.ToString(), block.FreeText, block.Kind));
            copy.Blocks[key].Raws.AddRange(block.Raws);
            change(key, copy.Blocks[key]);
        }

        return copy;
    }

    /// <summary>One character replaced by another, a surrogate pair by one that begins with the same half.</summary>
    private static string Changed(string text, int at)
    {
        at = Boundary(text, at);
        var changed = new StringBuilder(text);
        if (char.IsHighSurrogate(text[at]) && at + 1 < text.Length)
        {
            changed[at + 1] = text[at + 1] == '\uDE42' ? '\uDE43' : '\uDE42';
        }
        else
        {
            changed[at] = char.IsAsciiDigit(text[at]) ? (char)('0' + ((text[at] - '0' + 1) % 10)) : text[at] == 'q' ? 'p' : 'q';
        }

        return changed.ToString();
    }

    private static int Boundary(string text, int at) => at > 0 && char.IsLowSurrogate(text[at]) ? at - 1 : at;
}
