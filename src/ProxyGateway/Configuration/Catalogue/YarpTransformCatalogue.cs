namespace ProxyGateway.Configuration.Catalogue;

/// <summary>YARP's transforms. Which keys go together is YARP's own to judge; here is which keys exist.</summary>
internal static class YarpTransformCatalogue
{
    private static readonly string[] s_actions = ["Set", "Append", "Remove", "Off"];

    private static readonly string[] s_nodeFormats =
    [
        "None", "Random", "RandomAndPort", "RandomAndRandomPort", "Unknown", "UnknownAndPort", "UnknownAndRandomPort", "Ip", "IpAndPort", "IpAndRandomPort",
    ];

    public static OptionNode Transforms { get; } = Option.List(
        "Transforms",
        "Changes to requests and answers, in order.",
        Option.Block(
            "position",
            "One transform.",
            Option.Text("RequestHeader", "A request header, with Set or Append."),
            Option.Text("RequestHeaderRemove", "A request header that is removed."),
            Option.Text("RequestHeaderRouteValue", "A request header from a route value, with Set or Append."),
            Option.Flag("RequestHeadersCopy", "Whether request headers are copied."),
            Option.Text("RequestHeadersAllowed", "The only request headers that are copied, separated by semicolons."),
            Option.Flag("RequestHeaderOriginalHost", "Whether the client's Host header is sent on."),
            Option.Text("ResponseHeader", "A response header, with Set or Append."),
            Option.Text("ResponseHeaderRemove", "A response header that is removed."),
            Option.Flag("ResponseHeadersCopy", "Whether response headers are copied."),
            Option.Text("ResponseHeadersAllowed", "The only response headers that are copied, separated by semicolons."),
            Option.Text("ResponseTrailer", "A response trailer, with Set or Append."),
            Option.Text("ResponseTrailerRemove", "A response trailer that is removed."),
            Option.Flag("ResponseTrailersCopy", "Whether response trailers are copied."),
            Option.Text("ResponseTrailersAllowed", "The only response trailers that are copied, separated by semicolons."),
            Option.Text("PathPrefix", "Put in front of the path."),
            Option.Text("PathRemovePrefix", "Taken off the front of the path."),
            Option.Text("PathSet", "The whole path."),
            Option.Text("PathPattern", "The whole path, with route values."),
            Option.Text("QueryValueParameter", "A query parameter, with Set or Append."),
            Option.Text("QueryRouteParameter", "A query parameter from a route value, with Set or Append."),
            Option.Text("QueryRemoveParameter", "A query parameter that is removed."),
            Option.Text("HttpMethodChange", "The method that is replaced, with Set."),
            Option.Text("Set", "The new value."),
            Option.Text("Append", "The value that is added."),
            Option.Choice("When", "On which answers.", null, "Success", "Always", "Failure"),
            Option.Choice("X-Forwarded", "What happens to X-Forwarded headers.", null, s_actions),
            Option.Choice("For", "What happens to X-Forwarded-For (after Forwarded: a node format).", null, [.. s_actions, .. s_nodeFormats]),
            Option.Text("Host", "What happens to X-Forwarded-Host (after Forwarded: true or false)."),
            Option.Text("Proto", "What happens to X-Forwarded-Proto (after Forwarded: true or false)."),
            Option.Choice("Prefix", "What happens to X-Forwarded-Prefix.", null, s_actions),
            Option.Text("HeaderPrefix", "The headers' names without their last part."),
            Option.Text("Forwarded", "Which parts of the Forwarded header are set."),
            Option.Choice("By", "The by part of the Forwarded header.", null, s_nodeFormats),
            Option.Choice("ForFormat", "Form of the for part.", null, s_nodeFormats),
            Option.Choice("ByFormat", "Form of the by part.", null, s_nodeFormats),
            Option.Choice("Action", "What happens to a Forwarded header that is there.", null, s_actions),
            Option.Text("ClientCert", "The header that carries the client's certificate.")));
}
