using System.Security.Authentication;
using Yarp.ReverseProxy.Configuration;

namespace ProxyGateway.Configuration.Catalogue;

/// <summary>YARP's own section as far as its configuration provider reads it, with our blocks in their places.</summary>
internal static class YarpCatalogue
{
    private const string Day = "1.00:00:00";

    public static OptionNode Section { get; } = Option.Block(
        "ReverseProxy",
        "YARP's routes and clusters, with the gateway's blocks in them.",
        Option.Map("Routes", "Routes by id: which requests go to which cluster.", Route()),
        Option.Map("Clusters", "Clusters by id: the servers that may answer.", Cluster()));

    private static OptionNode Route() => Option.Block(
        "route",
        "One route.",
        Yarp(Option.Text("ClusterId", "The id of the cluster that is asked first.") with { IsRequired = true }),
        Yarp(Option.Count("Order", "Lower numbers are tried first.", null, int.MinValue, int.MaxValue) with { DefaultText = "0" }),
        Yarp(Option.Block(
            "Match",
            "Which requests the route takes. Path or Hosts is required.",
            Option.Text("Path", "A path pattern, as `/v1/chat/completions` or `/v1/{**rest}`."),
            Option.List("Hosts", "Host names, `*.` allowed at the front.", Option.Text("position", "One host name.")),
            Option.List("Methods", "HTTP methods.", Option.Text("position", "One method.") with { Suggestions = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE"] }),
            Option.List("Headers", "Conditions on headers.", Condition<HeaderMatchMode>("header", HeaderMatchMode.ExactHeader)),
            Option.List("QueryParameters", "Conditions on query parameters.", Condition<QueryParameterMatchMode>("query parameter", QueryParameterMatchMode.Exact)))),
        Yarp(YarpTransformCatalogue.Transforms),
        FallbackCatalogue.Route,
        Yarp(Option.Count("MaxRequestBodySize", "Largest request body of a plain route, in bytes.", null, -1, long.MaxValue)),
        Yarp(Option.Text("AuthorizationPolicy", "YARP's; this program has no policies.") with { Suggestions = ["Anonymous"] }),
        Yarp(Option.Text("RateLimiterPolicy", "YARP's; this program has no policies.") with { Suggestions = ["Disable"] }),
        Yarp(Option.Text("OutputCachePolicy", "YARP's; this program caches nothing, and any value is an error.")),
        Yarp(Option.Time("Timeout", "Total time of a request on a plain route; on a guarded route it would abort the client.", null, "00:00:00.001", Day)),
        Yarp(Option.Text("TimeoutPolicy", "YARP's; this program has no policies.") with { Suggestions = ["Disable"] }),
        Yarp(Option.Text("CorsPolicy", "YARP's; this program has no policies, and any value is an error.")),
        Yarp(Metadata("route")));

    private static OptionNode Cluster() => Option.Block(
        "cluster",
        "One cluster.",
        [
            Yarp(Option.Map(
                "Destinations",
                "Servers by id.",
                Option.Block(
                    "destination",
                    "One server.",
                    Option.Address("Address", "The server's address with its scheme, as `http://127.0.0.1:3456`.") with { IsRequired = true },
                    Option.Address("Health", "Another address for health probes."),
                    Option.Text("Host", "The Host header, where transforms set none."),
                    Metadata("destination")))),
            .. FallbackCatalogue.Cluster,
            Yarp(Option.Text("LoadBalancingPolicy", "How one of several destinations is chosen.") with
            {
                DefaultText = "PowerOfTwoChoices",
                Suggestions = ["PowerOfTwoChoices", "FirstAlphabetical", "Random", "RoundRobin", "LeastRequests", "FirstContentEwma"],
            }),
            Yarp(SessionAffinity()),
            Yarp(HealthCheck()),
            Yarp(HttpClient()),
            Yarp(Option.Block(
                "HttpRequest",
                "How requests are sent to destinations.",
                Option.Time("ActivityTimeout", "How long nothing may move in either direction; longer than the longest non-streaming answer.", null, "00:00:00.001", Day) with { DefaultText = "00:01:40" },
                Option.Text("Version", "HTTP version.") with { DefaultText = "2", Suggestions = ["1.0", "1.1", "2", "3"] },
                Option.Choice<HttpVersionPolicy>("VersionPolicy", "What happens where the destination cannot speak that version.") with { DefaultText = "RequestVersionOrLower" },
                Option.Flag("AllowResponseBuffering", "Whether answers of plain routes may be buffered."))),
            Yarp(Metadata("cluster")),
        ]);

    private static OptionNode SessionAffinity() => Option.Block(
        "SessionAffinity",
        "Keeps a client at the destination that answered it first.",
        Option.Flag("Enabled", "Whether affinity is on."),
        Option.Text("Policy", "How the destination is remembered.") with { Suggestions = ["HashCookie", "ArrCookie", "Cookie", "CustomHeader"] },
        Option.Text("FailurePolicy", "What happens when the destination is gone.") with { Suggestions = ["Redistribute", "Return503Error"] },
        Option.Text("AffinityKeyName", "Name of the cookie or header.") with { IsRequired = true },
        Option.Block(
            "Cookie",
            "The cookie.",
            Option.Text("Domain", "The cookie's domain."),
            Option.Text("Path", "The cookie's path."),
            Option.Time("Expiration", "The cookie's expiration.", null, "00:00:00", "10000.00:00:00"),
            Option.Time("MaxAge", "The cookie's maximum age.", null, "00:00:00", "10000.00:00:00"),
            Option.Choice<CookieSecurePolicy>("SecurePolicy", "The cookie's Secure attribute."),
            Option.Flag("HttpOnly", "Whether scripts cannot see the cookie."),
            Option.Choice<SameSiteMode>("SameSite", "The cookie's SameSite attribute."),
            Option.Flag("IsEssential", "Whether the cookie needs no consent.")));

    private static OptionNode HealthCheck() => Option.Block(
        "HealthCheck",
        "How YARP finds destinations that are down.",
        Option.Block(
            "Active",
            "Probes.",
            Option.Flag("Enabled", "Whether probes are sent."),
            Option.Time("Interval", "Time between two probes.", null, "00:00:00.001", Day) with { DefaultText = "00:00:15" },
            Option.Time("Timeout", "How long a probe may take.", null, "00:00:00.001", Day) with { DefaultText = "00:00:10" },
            Option.Text("Policy", "How probes are judged.") with { Suggestions = ["ConsecutiveFailures"] },
            Option.Text("Path", "Path of a probe."),
            Option.Text("Query", "Query of a probe.")),
        Option.Block(
            "Passive",
            "Judges by the traffic itself.",
            Option.Flag("Enabled", "Whether traffic is judged."),
            Option.Text("Policy", "How traffic is judged.") with { Suggestions = ["TransportFailureRate"] },
            Option.Time("ReactivationPeriod", "After which time an unhealthy destination is tried again.", null, "00:00:00.001", Day)),
        Option.Text("AvailableDestinationsPolicy", "Which destinations may be asked.") with { Suggestions = ["HealthyAndUnknown", "HealthyOrPanic"] });

    private static OptionNode HttpClient() => Option.Block(
        "HttpClient",
        "The client that speaks to destinations.",
        Option.List("SslProtocols", "TLS versions.", Option.Choice<SslProtocols>("position", "One TLS version.")),
        Option.Flag("DangerousAcceptAnyServerCertificate", "Whether certificates of destinations are not checked. Dangerous."),
        Option.Count("MaxConnectionsPerServer", "Most connections to one server.", null, 1, int.MaxValue),
        Option.Flag("EnableMultipleHttp2Connections", "Whether more than one HTTP/2 connection to a server is allowed."),
        Option.Text("RequestHeaderEncoding", "Encoding of request headers."),
        Option.Text("ResponseHeaderEncoding", "Encoding of response headers."),
        Option.Block(
            "WebProxy",
            "A proxy on the way to destinations.",
            Option.Address("Address", "The proxy's address."),
            Option.Flag("BypassOnLocal", "Whether local addresses are asked directly."),
            Option.Flag("UseDefaultCredentials", "Whether the process's credentials are sent to it.")));

    private static OptionNode Condition<T>(string what, T standard)
        where T : struct, Enum =>
        Option.Block(
            "position",
            $"One condition on a {what}.",
            Option.Text("Name", $"Name of the {what}.") with { IsRequired = true },
            Option.List("Values", "Any of these matches.", Option.Text("position", "One value.")),
            Option.Choice<T>("Mode", "How values are compared.") with { DefaultText = standard.ToString() },
            Option.Flag("IsCaseSensitive", "Whether case matters."));

    private static OptionNode Metadata(string of) => Option.Map("Metadata", $"Free keys of the {of} for extensions.", Option.Text("key", "Any text."));

    private static OptionNode Yarp(OptionNode node) => node with
    {
        IsYarp = true,
        Children = [.. node.Children.Select(Yarp)],
        Item = node.Item is null ? null : Yarp(node.Item),
    };
}
