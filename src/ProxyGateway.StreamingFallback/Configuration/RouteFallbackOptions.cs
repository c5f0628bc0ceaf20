namespace ProxyGateway.StreamingFallback.Configuration;

/// <summary>When a request may be sent a second time.</summary>
public enum ReplayPolicy
{
    /// <summary>At any time: a second run of the request has no side effect that matters.</summary>
    Safe,

    /// <summary>Only while nothing was delivered to the client.</summary>
    BeforeContent,

    /// <summary>Never: the agent behind the route acts.</summary>
    Never,
}

/// <summary>How a stream that failed before anything was sent is answered from its replay.</summary>
public enum ReplayResponseFormat
{
    /// <summary>As the event stream the client asked for, made from the replay.</summary>
    Stream,

    /// <summary>As the replay's own JSON. Most SDKs that asked for a stream read this as an empty answer.</summary>
    Json,
}

/// <summary>What happens to a stream that fails after content was delivered.</summary>
public enum MidStreamFailureAction
{
    /// <summary>The request is replayed and the rest of the answer is joined to the open stream.</summary>
    Splice,

    /// <summary>The stream ends with the format's error event.</summary>
    Terminate,
}

/// <summary>What happens to a model that no pattern of <see cref="RouteFallbackOptions.Models"/> matches.</summary>
public enum UnknownModelAction
{
    /// <summary>The route's own cluster is asked.</summary>
    RouteCluster,

    /// <summary>The request is refused with 404 and the code <c>model_not_found</c>.</summary>
    Reject,
}

/// <summary>The <c>StreamingFallback</c> block of a route.</summary>
public sealed class RouteFallbackOptions
{
    /// <summary>The chat format on this route; <c>none</c> leaves the route to plain YARP. Default: none.</summary>
    public string Format { get; set; } = "none";

    /// <summary>Whether this route's failures are recovered. Default: true.</summary>
    public bool Enabled { get; set; } = true;

    /// <summary>When the request may be sent again. Default: Safe (format <c>a2a</c>, and requests that change state: Never).</summary>
    /// <remarks>Such are, in <c>openai-responses</c>, answers that are stored, continued or made in the background.</remarks>
    public ReplayPolicy? Replay { get; set; }

    /// <summary>How a stream that failed before anything was sent is answered. Default: Stream.</summary>
    public ReplayResponseFormat ResponseFormat { get; set; } = ReplayResponseFormat.Stream;

    /// <summary>What happens after a failure in mid-stream. Default: Splice.</summary>
    public MidStreamFailureAction OnMidStreamFailure { get; set; } = MidStreamFailureAction.Splice;

    /// <summary>Model patterns (<c>*</c> and <c>?</c>) to cluster ids; the first match in file order wins. Default: none.</summary>
    public Dictionary<string, string> Models { get; set; } = [];

    /// <summary>Names of the operator's choice to model names; applied before <see cref="Models"/>. Default: none.</summary>
    public Dictionary<string, string> ModelAliases { get; set; } = [];

    /// <summary>Makes this route answer <c>GET</c> with the models of these clusters and the aliases of all guarded routes, in OpenAI's form. Default: none.</summary>
    public List<string> ListModels { get; set; } = [];

    /// <summary>What happens to a model without a pattern, when there are patterns. Default: RouteCluster.</summary>
    public UnknownModelAction UnknownModel { get; set; } = UnknownModelAction.RouteCluster;
}
