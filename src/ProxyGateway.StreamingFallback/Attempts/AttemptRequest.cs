using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Extensions;
using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;
using ProxyGateway.StreamingFallback.Buffers;
using ProxyGateway.StreamingFallback.ChatFormats;
using ProxyGateway.StreamingFallback.Configuration;
using ProxyGateway.StreamingFallback.Exchange;
using Yarp.ReverseProxy.Configuration;
using Yarp.ReverseProxy.Forwarder;
using Yarp.ReverseProxy.Model;

namespace ProxyGateway.StreamingFallback.Attempts;

/// <summary>Prepares the client's request for one attempt: body, path, headers and YARP's choice of cluster. Puts back afterwards what the next attempt may need.</summary>
internal sealed class AttemptRequest : IDisposable
{
    /// <summary>One route model per cluster a route may go to; YARP books an attempt on its route's cluster.</summary>
    private static readonly ConditionalWeakTable<RouteModel, ConditionalWeakTable<ClusterState, RouteModel>> Routes = [];

    private readonly HttpContext _context;
    private readonly PooledBuffer _rewritten = new();
    private List<(string Name, StringValues Value)>? _changed;
    private readonly PathString _path;
    private readonly IDictionary<object, object?>? _items;
    private readonly QueryString _query;
    private readonly RequestBody? _source;
    private AttemptBody? _body;

    private AttemptRequest(HttpContext context, RequestBody? source, ClusterState cluster)
    {
        _context = context;
        _source = source;
        if (cluster.Model.Config.SessionAffinity is { Enabled: true })
        {
            // YARP notes there that the client is bound already, and then would not tell it of the destination that answered.
            _items = context.Items;
            context.Items = new Dictionary<object, object?>(_items);
        }

        _path = context.Request.Path;
        _query = context.Request.QueryString;
    }

    /// <summary>What holds for every attempt of an exchange, done once.</summary>
    public static void Clean(HttpContext context, string requestId)
    {
        var headers = context.Request.Headers;
        HopHeaders.RemoveNamed(headers);
        headers.Remove(HeaderNames.TransferEncoding);
        headers.Remove(HeaderNames.Expect); // Forwarded, it costs a second.
        headers.AcceptEncoding = "identity"; // What is watched must be readable.
        if (headers.ContainsKey(RequestIds.Header))
        {
            headers[RequestIds.Header] = requestId; // Where there is none, the call gets it, see GatewayHeadersTransform.
        }
    }

    /// <summary>Prepares <paramref name="context"/>: the exchange's own, or the copy that a second attempt beside the first goes with.</summary>
    public static AttemptRequest Prepare(
        ChatExchange exchange, HttpContext context, PlannedCluster cluster, ClusterState state, AttemptMode mode, RouteModel route, string? avoid)
    {
        var prepared = new AttemptRequest(context, exchange.Body, state);
        prepared.SetBody(exchange, mode, cluster.Model);
        prepared.SetCredentials(cluster.Settings, cluster.IsFallback, state, exchange.Time);
        if (!exchange.IsFirstAttempt || !ReferenceEquals(route.Cluster, state))
        {
            // YARP itself has assigned a first attempt at the route's own cluster.
            prepared.Assign(route, state);
        }

        if (avoid is not null)
        {
            prepared.Avoid(avoid);
        }

        return prepared;
    }

    /// <summary>For a call whose body is the client's own as it comes. <paramref name="only"/> is the destination it must go to; null leaves the choice to YARP.</summary>
    public static AttemptRequest PrepareRelay(ClientExchange exchange, ClusterSettings cluster, ClusterState state, RouteModel route, DestinationState? only)
    {
        var prepared = new AttemptRequest(exchange.Http, null, state);
        prepared.SetCredentials(cluster, isFallback: false, state, exchange.Time);
        prepared.Assign(route, state);
        if (only is not null)
        {
            exchange.Http.Proxy().AvailableDestinations = only;
        }

        return prepared;
    }

    /// <summary>Sets a request header for this call.</summary>
    public void SetHeader(string name, StringValues value)
    {
        var headers = _context.Request.Headers;
        (_changed ??= []).Add((name, headers[name]));
        headers[name] = value;
    }

    /// <summary>YARP's own limit on silence does not apply to this call: it may be silent for as long as it likes.</summary>
    public void AllowSilence() => _context.Features.Set<IReverseProxyFeature>(new PatientProxyFeature(_context.Proxy()));

    public void Dispose()
    {
        for (var i = _changed?.Count - 1; i >= 0; i--)
        {
            // No value is no header.
            var (name, value) = _changed![i.Value];
            _context.Request.Headers[name] = value;
        }

        if (_items is not null)
        {
            _context.Items = _items;
        }

        _context.Request.Path = _path;
        _context.Request.QueryString = _query;
        _context.Request.Body = Stream.Null;
        if (_body?.Content.TryRevoke() != false)
        {
            _rewritten.Dispose();
        }
        else
        {
            // An upstream that answers before it has read everything: what is still being sent must not become another request's memory.
            _rewritten.Abandon();
            _source?.Abandon();
        }
    }

    private void SetBody(ChatExchange exchange, AttemptMode mode, string? model)
    {
        var format = exchange.Route.Format;
        var request = _context.Request;
        var body = format.WriteAttemptBody(exchange.Request, exchange.Body.Memory.Span, mode, model, _rewritten) ? _rewritten.Memory : exchange.Body.Memory;
        System.Runtime.InteropServices.MemoryMarshal.TryGetArray(body, out var segment);
        request.Body = _body = new AttemptBody(segment);
        request.ContentLength = body.Length;
        if (format.RewriteTarget(exchange.Request, _path.Value ?? "", _query.Value ?? "", mode, model) is var (path, query))
        {
            request.Path = path;
            request.QueryString = new QueryString(query);
        }
    }

    private void SetCredentials(ClusterSettings cluster, bool isFallback, ClusterState state, TimeProvider time)
    {
        var credential = cluster.Credential;
        if (!(cluster.ForwardClientCredentials ?? (credential is null && !isFallback)))
        {
            RemoveCredentials(state.Model.Config.SessionAffinity);
        }

        if (credential is not null)
        {
            SetHeader(credential.Header, credential.HeaderValue(time));
        }
    }

    private void RemoveCredentials(SessionAffinityConfig? affinity)
    {
        var headers = _context.Request.Headers;
        var cookie = affinity is { Enabled: true, AffinityKeyName: { } key } ? FindCookie(headers.Cookie, key) : null;
        foreach (var name in headers.Keys.Where(CredentialNames.IsHeader).ToList())
        {
            SetHeader(name, default);
        }

        if (cookie is not null)
        {
            // The gateway's own word of which destination this client is bound to; it says nothing of who the client is.
            headers.Cookie = cookie;
        }

        if (!_context.Request.QueryString.HasValue)
        {
            return;
        }

        var query = new QueryBuilder();
        foreach (var (name, value) in _context.Request.Query)
        {
            if (!CredentialNames.IsQueryParameter(name))
            {
                query.Add(name, value.ToArray()!);
            }
        }

        _context.Request.QueryString = query.ToQueryString();
    }

    private static string? FindCookie(StringValues cookies, string name)
    {
        foreach (var line in cookies)
        {
            foreach (var cookie in (line ?? "").Split(';', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
            {
                if (cookie.StartsWith(name, StringComparison.Ordinal) && cookie.AsSpan(name.Length) is ['=', ..])
                {
                    return cookie;
                }
            }
        }

        return null;
    }

    private void Assign(RouteModel route, ClusterState state)
    {
        var model = ReferenceEquals(route.Cluster, state)
            ? route
            : Routes.GetOrCreateValue(route).GetValue(state, s => new RouteModel(route.Config with { ClusterId = s.ClusterId }, s, route.Transformer));
        _context.ReassignProxyRequest(model, state);
        _context.Features.Set<IForwarderErrorFeature>(null);
        _context.Proxy().ProxiedDestination = null;
    }

    private void Avoid(string destination)
    {
        var feature = _context.Proxy();
        if (feature.AvailableDestinations.Count > 1)
        {
            var others = feature.AvailableDestinations.Where(d => d.DestinationId != destination).ToList();
            feature.AvailableDestinations = others.Count > 0 ? others : feature.AvailableDestinations;
        }
    }
}
