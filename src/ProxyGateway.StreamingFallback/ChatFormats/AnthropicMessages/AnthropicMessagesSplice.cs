using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using ProxyGateway.StreamingFallback.Buffers;
using ProxyGateway.StreamingFallback.ChatFormats.Json;

namespace ProxyGateway.StreamingFallback.ChatFormats.AnthropicMessages;

/// <summary>An open block of the client's and what it still lacks.</summary>
/// <param name="Block">What was delivered of it.</param>
/// <param name="Whole">The replay's block; null for reasoning, which is kept as it was delivered.</param>
/// <param name="Rest">The rest of its text or of its input.</param>
internal sealed record OpenBlock(DeliveredBlock Block, AnswerBlock? Whole, byte[] Rest);

/// <summary>How a whole answer goes on from what was delivered. Made only where it agrees.</summary>
internal sealed class AnthropicMessagesSplice
{
    private AnthropicMessagesSplice()
    {
    }

    /// <summary>Blocks to finish and close, in order.</summary>
    public List<OpenBlock> Open { get; } = [];

    /// <summary>The first block of the answer that was not begun.</summary>
    public int NextBlock { get; private set; }

    public ToolIds Ids { get; } = new();

    /// <summary>
    /// Compares what was delivered with <paramref name="answer"/>: decoded text, ordinally; calls by name and by the value of
    /// their input; results of server tools by value. Reasoning is not compared: it differs from run to run, and its signature
    /// makes it good by itself, so whole reasoning stands in the place of the replay's. Null where the two do not agree.
    /// </summary>
    public static AnthropicMessagesSplice? Find(DeliveredMessage delivered, AnthropicMessagesAnswer answer)
    {
        var splice = new AnthropicMessagesSplice();
        var next = 0;
        var afterReasoning = false;
        for (var i = 0; i < delivered.Blocks.Count; i++)
        {
            var block = delivered.Blocks[i];
            if (block.IsReasoning)
            {
                if (!block.IsWholeReasoning)
                {
                    return null;
                }

                afterReasoning = true;
                splice.AddIfOpen(block, null, []);
                continue;
            }

            next = afterReasoning ? SkipReasoning(answer, next) : next;
            afterReasoning = false;
            // What stands later closes what stands before it.
            var mustBeWhole = block.Closed || i < delivered.Blocks.Count - 1;
            if (next >= answer.Blocks.Count || splice.Rest(block, answer.Blocks[next], mustBeWhole) is not { } rest)
            {
                return null;
            }

            splice.AddIfOpen(block, answer.Blocks[next], rest);
            next++;
        }

        splice.NextBlock = afterReasoning ? SkipReasoning(answer, next) : next;
        return splice;
    }

    private void AddIfOpen(DeliveredBlock block, AnswerBlock? whole, byte[] rest)
    {
        if (!block.Closed)
        {
            Open.Add(new OpenBlock(block, whole, rest));
        }
    }

    private static int SkipReasoning(AnthropicMessagesAnswer answer, int next)
    {
        while (next < answer.Blocks.Count && answer.Blocks[next].IsReasoning)
        {
            next++;
        }

        return next;
    }

    private byte[]? Rest(DeliveredBlock block, AnswerBlock whole, bool mustBeWhole)
    {
        if (!block.Type.AsSpan().SequenceEqual(whole.Type))
        {
            return null;
        }

        return block.Kind switch
        {
            BlockKind.Text => CitationsAgree(block, whole, mustBeWhole) ? TextRest(block.TextOrEmpty, whole.Text, mustBeWhole) : null,
            // A compaction comes in one piece, and clients do not agree on what a second one would mean.
            BlockKind.Compaction => TextRest(block.TextOrEmpty, whole.Text, mustBeWhole || block.TextOrEmpty.Length > 0),
            BlockKind.Tool => CallRest(block, whole, mustBeWhole),
            _ => IsSame(block.Start, whole.Element) ? [] : null,
        };
    }

    private static byte[]? TextRest(ReadOnlySpan<byte> have, byte[] all, bool mustBeWhole) =>
        all.AsSpan().StartsWith(have) && (!mustBeWhole || have.Length == all.Length) ? all[have.Length..] : null;

    private bool CitationsAgree(DeliveredBlock block, AnswerBlock whole, bool mustBeWhole)
    {
        var have = block.Citations;
        if (have.Count > whole.Citations.Count || (mustBeWhole && have.Count != whole.Citations.Count))
        {
            return false;
        }

        for (var i = 0; i < have.Count; i++)
        {
            if (!IsSame(have[i], whole.Citations[i]))
            {
                return false;
            }
        }

        return true;
    }

    private byte[]? CallRest(DeliveredBlock block, AnswerBlock whole, bool mustBeWhole)
    {
        if (!block.Name.AsSpan().SequenceEqual(whole.Name))
        {
            return null;
        }

        var have = block.TextOrEmpty;
        byte[]? rest;
        if (block.StartInput.Length > 0)
        {
            // The whole input came with the start event; clients do not agree on what a piece after it would mean.
            rest = have.IsEmpty && ToolInputContinuation.IsSame(block.StartInput, whole.Input) ? [] : null;
        }
        else if (!mustBeWhole)
        {
            rest = ToolInputContinuation.Rest(have, whole.Input);
        }
        else
        {
            var json = have.Trim(" \t\r\n"u8);
            rest = ToolInputContinuation.IsSame(json.IsEmpty ? "{}"u8.ToArray() : json.ToArray(), whole.Input) ? [] : null;
        }

        if (rest is not null && block.Id is not null && whole.Id is not null)
        {
            Ids.Add(Encoding.UTF8.GetString(whole.Id), Encoding.UTF8.GetString(block.Id));
        }

        return rest;
    }

    private bool IsSame(byte[] delivered, JsonElement whole)
    {
        if (JsonMarshal.GetRawUtf8Value(whole).SequenceEqual(delivered))
        {
            return true;
        }

        using var renamed = new PooledBuffer();
        using (var writer = new Utf8JsonWriter(renamed, JsonText.WriterOptions))
        {
            Ids.Write(writer, whole);
        }

        using var document = JsonDocument.Parse(renamed.Memory, JsonText.AnswerOptions);
        return ToolInputContinuation.IsSame(delivered, document.RootElement);
    }
}
