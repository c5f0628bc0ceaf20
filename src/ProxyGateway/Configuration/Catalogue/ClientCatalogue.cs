namespace ProxyGateway.Configuration.Catalogue;

/// <summary>The <c>Clients</c> section; the class of an entry is <see cref="ClientOptions"/>.</summary>
internal static class ClientCatalogue
{
    public static OptionNode Section { get; } = Option.Map(
        "Clients",
        "Who may use the proxy, by a name of the operator's choice. With no entry everybody may.",
        Option.Block(
            "client",
            "One client: what it may use, and how much.",
            Option.Text("KeyHash", "SHA-256 of the client's key in hexadecimal (`printf %s KEY | sha256sum`). The key itself is never written down.") with { IsRequired = true },
            Option.List("Routes", "Ids of the routes this client may use.", Option.Text("position", "The id of a route.")) with { DefaultText = "all" },
            Option.Count("RequestsPerMinute", "Requests per minute, 0 for no limit.", 0, 0, 1000000),
            Option.Count("MaxConcurrentRequests", "Requests in flight at a time, 0 for no limit.", 0, 0, 100000))) with { DefaultText = "none" };
}
