using ProxyGateway.Configuration.Parsing;

namespace ProxyGateway.Configuration.Validation;

/// <summary>
/// Routes that take each other's requests. Two that match alike make routing fail at the first request; one behind a
/// lower <c>Order</c> that covers it is never reached. Sound rather than complete: what cannot be told from the patterns
/// is not reported.
/// </summary>
internal static class RouteOverlapRules
{
    public static void Check(GatewayModel model, DiagnosticBag diagnostics)
    {
        var routes = model.Routes.Select(r => new Taken(r)).ToList();
        for (var i = 0; i < routes.Count; i++)
        {
            for (var j = 0; j < routes.Count; j++)
            {
                if (j < i && routes[i].Route.Order == routes[j].Route.Order && AreAlike(routes[i], routes[j]))
                {
                    diagnostics.KeyError(
                        routes[i].Route.Node,
                        $"takes the same requests as route {routes[j].Route.Id}, so that neither can be chosen",
                        "change Match of one of the two, or give them different Order values");
                }
                else if (routes[j].Route.Order < routes[i].Route.Order && Covers(routes[j], routes[i]))
                {
                    diagnostics.KeyError(
                        routes[i].Route.Node,
                        $"is never reached: route {routes[j].Route.Id} has a lower Order and takes all its requests",
                        $"give it an Order below {routes[j].Route.Order}, or narrow the Match of {routes[j].Route.Id}");
                }
            }
        }
    }

    private static bool AreAlike(Taken a, Taken b) =>
        a.Path.IsSameAs(b.Path) && Overlap(a.Methods, b.Methods) && Overlap(a.Hosts, b.Hosts) && a.Conditions == b.Conditions;

    /// <summary>Naming none is less specific than naming some, so routing can choose between such two.</summary>
    private static bool Overlap(HashSet<string> a, HashSet<string> b) => (a.Count == 0 && b.Count == 0) || a.Overlaps(b);

    private static bool Covers(Taken wide, Taken narrow) =>
        wide.Path.Covers(narrow.Path)
        && (wide.Methods.Count == 0 || (narrow.Methods.Count > 0 && wide.Methods.IsSupersetOf(narrow.Methods)))
        && (wide.Hosts.Count == 0 || (narrow.Hosts.Count > 0 && wide.Hosts.IsSupersetOf(narrow.Hosts)))
        && (wide.Conditions.Length == 0 || wide.Conditions == narrow.Conditions);

    /// <summary>What a route takes, in a form that compares.</summary>
    private sealed class Taken(RouteModel route)
    {
        public RouteModel Route { get; } = route;

        public RoutePattern Path { get; } = RoutePattern.Parse(route.Node.Find("Match", "Path")?.Value);

        public HashSet<string> Methods { get; } = Set(route.Node.Find("Match", "Methods"));

        public HashSet<string> Hosts { get; } = Set(route.Node.Find("Match", "Hosts"));

        public string Conditions { get; } = Flat(route.Node.Find("Match", "Headers")) + Flat(route.Node.Find("Match", "QueryParameters"));

        private static HashSet<string> Set(SettingNode? node) =>
            new(node?.Children.Select(c => c.Value).OfType<string>() ?? [], StringComparer.OrdinalIgnoreCase);

        private static string Flat(SettingNode? node) =>
            node is null ? "" : node.IsScalar ? $"{node.Path[(node.Path.IndexOf("Match", StringComparison.OrdinalIgnoreCase) + 5)..]}={node.Value}\n" : string.Concat(node.Children.Select(Flat));
    }
}
