using ProxyGateway.TestKit.Upstream;

namespace ProxyGateway.IntegrationTests.Gateway;

/// <summary>
/// The configuration of a gateway under test, and the upstreams behind it. Clocks are short enough for a test to wait for and
/// long enough for a busy machine; a test that is about a clock sets its own.
/// </summary>
internal sealed class GatewaySetup
{
    private readonly Dictionary<string, string?> _values = new(StringComparer.OrdinalIgnoreCase)
    {
        ["Gateway:Listen"] = "http://127.0.0.1:0",
        ["Gateway:ListenHttp2"] = "http://127.0.0.1:0",
        ["Gateway:ManagementListen"] = "http://127.0.0.1:0",
        ["Gateway:Drain:Delay"] = "00:00:00",
        ["Gateway:Drain:Timeout"] = "00:00:00.2",
        ["StreamingFallback:RecoveryTimeout"] = "00:00:15",
    };

    private readonly List<(string Cluster, UpstreamBase Upstream)> _upstreams = [];
    private readonly HashSet<string> _fallbacks = [];

    public IReadOnlyDictionary<string, string?> Values => _values;

    public IReadOnlyList<(string Cluster, UpstreamBase Upstream)> Upstreams => _upstreams;

    public bool IsFallback(string cluster) => _fallbacks.Contains(cluster);

    public string? this[string key]
    {
        set => _values[key] = value;
    }

    /// <summary>The guarded chat route; every setup has one, its cluster is <c>primary</c> unless said otherwise.</summary>
    public GatewaySetup Chat(string cluster = "primary", params (string Option, string Value)[] options)
    {
        const string Route = "ReverseProxy:Routes:chat:";
        _values[Route + "ClusterId"] = cluster;
        _values[Route + "Match:Path"] = "/v1/chat/completions";
        _values[Route + "StreamingFallback:Format"] = "openai-chat";
        foreach (var (option, value) in options)
        {
            _values[Route + "StreamingFallback:" + option] = value;
        }

        return this;
    }

    /// <summary>Sets options of the <c>StreamingFallback</c> section.</summary>
    public GatewaySetup Global(params (string Option, string Value)[] options)
    {
        foreach (var (option, value) in options)
        {
            _values["StreamingFallback:" + option] = value;
        }

        return this;
    }

    public GatewaySetup Cluster(string id, UpstreamBase upstream, params (string Option, string Value)[] options)
    {
        _upstreams.Add((id, upstream));
        if (upstream is ScriptedHttp2Upstream)
        {
            _values[$"ReverseProxy:Clusters:{id}:HttpRequest:Version"] = "2";
            _values[$"ReverseProxy:Clusters:{id}:HttpRequest:VersionPolicy"] = "RequestVersionExact";
        }

        return Cluster(id, upstream.Address, options);
    }

    public GatewaySetup Cluster(string id, Uri address, params (string Option, string Value)[] options)
    {
        var cluster = $"ReverseProxy:Clusters:{id}:";
        _values[cluster + "Destinations:a:Address"] = address.ToString();
        _values.TryAdd(cluster + "Timeouts:Connect", "00:00:03");
        _values.TryAdd(cluster + "Timeouts:ResponseHeaders", "00:00:05");
        _values.TryAdd(cluster + "Timeouts:FirstContent", "00:00:05");
        _values.TryAdd(cluster + "Timeouts:Idle", "00:00:03");
        _values.TryAdd(cluster + "Timeouts:Replay", "00:00:05");
        _values.TryAdd(cluster + "Retry:Backoff", "00:00:00.02");
        foreach (var (option, value) in options)
        {
            _values[cluster + option] = value;
        }

        return this;
    }

    /// <summary>A further destination of a cluster; the first is called <c>a</c>.</summary>
    public GatewaySetup Destination(string cluster, string id, UpstreamBase upstream)
    {
        _upstreams.Add((cluster, upstream));
        _values[$"ReverseProxy:Clusters:{cluster}:Destinations:{id}:Address"] = upstream.Address.ToString();
        return this;
    }

    public GatewaySetup Remove(string cluster)
    {
        var naming = _values.Where(v => v.Value == cluster && v.Key.Contains(":Fallback:", StringComparison.Ordinal)).Select(v => v.Key[..^"Cluster".Length]);
        string[] blocks = [.. naming, $"ReverseProxy:Clusters:{cluster}:"];
        foreach (var key in _values.Keys.Where(k => blocks.Any(b => k.StartsWith(b, StringComparison.OrdinalIgnoreCase))).ToList())
        {
            _values.Remove(key);
        }

        return this;
    }

    /// <summary>Names the clusters that <paramref name="cluster"/> falls back to, in order; <c>cluster=model</c> overrides the model.</summary>
    public GatewaySetup Fallback(string cluster, params string[] targets)
    {
        for (var i = 0; i < targets.Length; i++)
        {
            var (id, model) = targets[i].Split('=') is [var name, var other] ? (name, other) : (targets[i], null);
            _fallbacks.Add(id);
            _values[$"ReverseProxy:Clusters:{cluster}:Fallback:{i}:Cluster"] = id;
            _values[$"ReverseProxy:Clusters:{cluster}:Fallback:{i}:Model"] = model;
        }

        return this;
    }
}
