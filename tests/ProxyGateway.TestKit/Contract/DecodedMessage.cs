using System.Text;
using System.Text.Json;

namespace ProxyGateway.TestKit.Contract;

/// <summary>The text of one block, and the name and id where it is a tool call.</summary>
public sealed class DecodedBlock
{
    public StringBuilder Text { get; } = new();

    public StringBuilder ToolName { get; } = new();

    /// <summary>The first id that is not empty.</summary>
    public string? ToolId { get; set; }

    public bool FreeText { get; set; }

    /// <summary>What the format calls the block; null where the channel says it all.</summary>
    public string? Kind { get; set; }

    /// <summary>JSON beside the text, in order.</summary>
    public List<string> Raws { get; } = [];

    /// <summary>No arguments at all count as whole: a call without parameters is sent that way.</summary>
    public bool ArgumentsParse
    {
        get
        {
            var text = Text.ToString();
            if (FreeText || string.IsNullOrWhiteSpace(text))
            {
                return true;
            }

            try
            {
                using var document = JsonDocument.Parse(text, new JsonDocumentOptions { MaxDepth = 512 });
                return true;
            }
            catch (JsonException)
            {
                return false;
            }
        }
    }
}

/// <summary>An answer put together from events or read from a whole body.</summary>
public sealed class DecodedMessage
{
    public SortedDictionary<BlockKey, DecodedBlock> Blocks { get; } = [];

    public SortedDictionary<int, string> Finishes { get; } = [];

    public HashSet<string> Ids { get; } = [];

    public HashSet<string> Models { get; } = [];

    public HashSet<long> Createds { get; } = [];

    public HashSet<int> Roles { get; } = [];

    /// <summary>Choices seen at all.</summary>
    public SortedSet<int> Choices { get; } = [];

    public int UsageCount { get; set; }

    public bool HasContent { get; private set; }

    public void Append(ContractEvent e)
    {
        if (e.Id is { } id)
        {
            Ids.Add(id);
        }

        if (e.Model is { } model)
        {
            Models.Add(model);
        }

        if (e.Created is { } created)
        {
            Createds.Add(created);
        }

        foreach (var part in e.Parts)
        {
            Append(part);
        }

        foreach (var choice in e.Roles)
        {
            Roles.Add(choice);
            Choices.Add(choice);
        }

        foreach (var (choice, reason) in e.Finishes)
        {
            Finishes.TryAdd(choice, reason);
            Choices.Add(choice);
        }

        UsageCount += e.Is(EventTraits.Usage) ? 1 : 0;
        HasContent |= e.Is(EventTraits.Content);
    }

    public void Append(ContractPart part)
    {
        Choices.Add(part.Block.Choice);
        if (!Blocks.TryGetValue(part.Block, out var block))
        {
            Blocks[part.Block] = block = new DecodedBlock();
        }

        block.Text.Append(part.Text);
        if (!string.IsNullOrEmpty(part.ToolName) && !block.ToolName.Equals(part.ToolName))
        {
            // Some servers repeat the name with every piece of the arguments.
            block.ToolName.Append(part.ToolName);
        }

        block.FreeText |= part.FreeText;
        block.Kind ??= part.Kind;
        if (part.Raw is not null)
        {
            block.Raws.Add(part.Raw);
        }

        if (string.IsNullOrEmpty(block.ToolId) && !string.IsNullOrEmpty(part.ToolId))
        {
            block.ToolId = part.ToolId;
        }
    }

    /// <summary>Bytes of UTF-8 that the decoded text takes.</summary>
    public long TextBytes() => Blocks.Values.Sum(b => (long)Encoding.UTF8.GetByteCount(b.Text.ToString()));

    /// <summary>The first tool call whose arguments are cut; of any choice, or of one.</summary>
    public BlockKey? BrokenTool(int? choice = null)
    {
        foreach (var (key, block) in Blocks)
        {
            if (key.Channel == Channel.Tool && (choice is null || key.Choice == choice) && !block.ArgumentsParse)
            {
                return key;
            }
        }

        return null;
    }
}
