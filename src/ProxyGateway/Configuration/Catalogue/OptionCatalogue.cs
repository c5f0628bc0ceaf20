namespace ProxyGateway.Configuration.Catalogue;

/// <summary>Every key that may stand in the file. A new section is one more child here.</summary>
internal static class OptionCatalogue
{
    public static OptionNode Root { get; } = Option.Block(
        "",
        "The configuration of ProxyGateway.",
        GatewayCatalogue.Section,
        FallbackCatalogue.Section,
        YarpCatalogue.Section,
        ClientCatalogue.Section,
        Option.Text("$schema", "The JSON Schema that editors complete and underline by."),
        Option.Foreign("Logging", "Log levels, as everywhere in .NET."),
        Option.Foreign("AllowedHosts", "ASP.NET Core's; only `*`. A route's `Match:Hosts` says which hosts it takes."),
        Option.Foreign("Kestrel", "ASP.NET Core's; an error, for the gateway has its own: `Gateway:Listen`, `Gateway:Certificate`, `Gateway:MaxConnections`."),
        Option.Foreign("Urls", "ASP.NET Core's addresses; the gateway listens where Gateway:Listen says."));

    /// <summary>Where else a key of this name may stand, for a key that was put in the wrong block.</summary>
    public static string? PlaceOf(string name) => Search(Root, "", name);

    /// <summary>The option a path of names leads to, null where there is none.</summary>
    public static OptionNode? Find(string path)
    {
        OptionNode? node = Root;
        foreach (var name in path.Split(':'))
        {
            node = node?.Child(name);
        }

        return node;
    }

    private static string? Search(OptionNode node, string path, string name)
    {
        foreach (var child in node.Children)
        {
            var childPath = path.Length == 0 ? child.Name : $"{path}:{child.Name}";
            if (child.Name.Equals(name, StringComparison.OrdinalIgnoreCase) && path.Length > 0)
            {
                return childPath;
            }

            if (Search(child, childPath, name) is { } found)
            {
                return found;
            }
        }

        return node.Item is { Kind: OptionKind.Block } item ? Search(item, $"{path}:<{item.Name}>", name) : null;
    }
}
