namespace ProxyGateway.Configuration.Catalogue;

/// <summary>Short forms, so that the catalogue reads as a table.</summary>
internal static class Option
{
    public static OptionNode Flag(string name, string description, bool? standard = null) =>
        new(OptionKind.Flag, name, description) { Default = standard switch { true => "true", false => "false", null => null } };

    public static OptionNode Count(string name, string description, long? standard, long minimum, long maximum) =>
        new(OptionKind.Count, name, description) { Default = standard is { } s ? NumberText.Format(s) : null, Minimum = minimum, Maximum = maximum };

    public static OptionNode Share(string name, string description, double standard, double minimum, double maximum, bool exclusive = false) =>
        new(OptionKind.Share, name, description)
        {
            Default = NumberText.Format(standard),
            Minimum = minimum,
            Maximum = maximum,
            MinimumIsExclusive = exclusive,
        };

    public static OptionNode Time(string name, string description, string? standard, string shortest, string longest) =>
        new(OptionKind.Time, name, description) { Default = standard, Shortest = Read(shortest), Longest = Read(longest) };

    public static OptionNode Text(string name, string description, string? standard = null) =>
        new(OptionKind.Text, name, description) { Default = standard };

    public static OptionNode Address(string name, string description) => new(OptionKind.Address, name, description);

    public static OptionNode Choice<T>(string name, string description, T? standard = null)
        where T : struct, Enum =>
        new(OptionKind.Choice, name, description) { Choices = Enum.GetNames<T>(), Default = standard?.ToString() };

    public static OptionNode Choice(string name, string description, string? standard, params string[] choices) =>
        new(OptionKind.Choice, name, description) { Choices = choices, Default = standard };

    public static OptionNode Block(string name, string description, params OptionNode[] children) =>
        new(OptionKind.Block, name, description) { Children = children };

    public static OptionNode Map(string name, string description, OptionNode item) => new(OptionKind.Map, name, description) { Item = item };

    public static OptionNode List(string name, string description, OptionNode item) => new(OptionKind.List, name, description) { Item = item };

    public static OptionNode Foreign(string name, string description) => new(OptionKind.Foreign, name, description);

    private static TimeSpan Read(string text) =>
        DurationText.TryParse(text, out var time) ? time : throw new ArgumentException("not a duration", nameof(text));
}
