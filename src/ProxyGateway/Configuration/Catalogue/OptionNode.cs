namespace ProxyGateway.Configuration.Catalogue;

internal enum OptionKind
{
    /// <summary>Named children.</summary>
    Block,

    /// <summary>Children of free names, all of one shape.</summary>
    Map,
    List,
    Flag,
    Count,
    Share,
    Time,
    Text,

    /// <summary>One of a closed list.</summary>
    Choice,

    /// <summary>An absolute http or https address.</summary>
    Address,

    /// <summary>Another component's section: taken as it is.</summary>
    Foreign,
}

/// <summary>
/// One option: the single source of the schema, the validator's ranges and the reference. A test holds the option
/// classes equal to it, their doc comments included.
/// </summary>
internal sealed record OptionNode(OptionKind Kind, string Name, string Description)
{
    /// <summary>As it would be written in the file; null where absence itself means something or nothing.</summary>
    public string? Default { get; init; }

    /// <summary>The default in words, where it depends on other settings.</summary>
    public string? DefaultText { get; init; }

    /// <summary>Bounds of a Count or Share, both inclusive unless said otherwise.</summary>
    public double? Minimum { get; init; }

    public double? Maximum { get; init; }

    public bool MinimumIsExclusive { get; init; }

    public TimeSpan? Shortest { get; init; }

    public TimeSpan? Longest { get; init; }

    /// <summary>The option that is the lower bound, in place of a figure.</summary>
    public string? MinimumName { get; init; }

    public IReadOnlyList<string> Choices { get; init; } = [];

    /// <summary>Well-known values of a text that may also be something else.</summary>
    public IReadOnlyList<string> Suggestions { get; init; } = [];

    public IReadOnlyList<OptionNode> Children { get; init; } = [];

    /// <summary>What every entry of a map or list looks like.</summary>
    public OptionNode? Item { get; init; }

    public bool IsRequired { get; init; }

    public bool NeedsRestart { get; init; }

    /// <summary>Whether the option is YARP's; then YARP's own documentation is the reference.</summary>
    public bool IsYarp { get; init; }

    public bool IsScalar => Kind is not (OptionKind.Block or OptionKind.Map or OptionKind.List or OptionKind.Foreign);

    public OptionNode? Child(string name) =>
        Kind is OptionKind.Map or OptionKind.List ? Item : Children.FirstOrDefault(c => c.Name.Equals(name, StringComparison.OrdinalIgnoreCase));

    /// <summary>The allowed range in words, null where there is none.</summary>
    public string? RangeText
    {
        get
        {
            if (Kind == OptionKind.List)
            {
                return Item?.RangeText is { } each ? $"{each} each" : null;
            }

            var low = MinimumName ?? (Shortest is { } s ? DurationText.Format(s) : Minimum is { } min ? NumberText.Format(min) : null);
            var high = Longest is { } l ? DurationText.Format(l) : Maximum is { } max ? NumberText.Format(max) : null;
            return low is null || high is null ? null : MinimumIsExclusive ? $"above {low} to {high}" : $"{low} to {high}";
        }
    }
}
