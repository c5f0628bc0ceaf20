using System.Globalization;
using System.Text.Json;
using Microsoft.AspNetCore.Http.Features;
using ProxyGateway.Management.Settings;
using ProxyGateway.StreamingFallback.CircuitBreaking;
using ProxyGateway.StreamingFallback.Telemetry;
using Yarp.ReverseProxy;

namespace ProxyGateway.Management.Api;

/// <summary>The JSON API behind the status page, for scripts as well. Access is judged before.</summary>
internal sealed class ApiEndpoints(
    StatusReport report,
    StatusFeed feed,
    TrafficHistory traffic,
    CircuitControl control,
    IConfigurationReport configuration,
    IProxyStateLookup proxy)
{
    /// <summary>Says who acts; unproven.</summary>
    public const string UserHeader = "x-gateway-user";

    private const int MaxUserLength = 64;
    private const int MaxWhyLength = 300;
    private const int MaxBodyBytes = 4096;

    public void Map(WebApplication app)
    {
        // Typed, so that the plain overload is taken: nothing is bound by reflection.
        app.MapGet("/api/status", (RequestDelegate)(c => ApiAnswer.JsonAsync(c, report.Describe(withHistory: true), ApiJson.Default.StatusDocument)));
        app.MapGet("/api/traffic", (RequestDelegate)(c => ApiAnswer.JsonAsync(c, traffic.Describe(), ApiJson.Default.TrafficDocument)));
        app.MapGet("/api/config", (RequestDelegate)(c => ApiAnswer.JsonAsync(c, new ConfigurationDocument(configuration.State, configuration.Redacted()), ApiJson.Default.ConfigurationDocument)));
        app.MapGet("/api/events", (RequestDelegate)(c => EventsAsync(c, app.Lifetime.ApplicationStopping)));
        app.MapPost("/api/reload", (RequestDelegate)ReloadAsync);
        app.MapPost("/api/clusters/{id}/circuit/{action}", (RequestDelegate)ActAsync);
        app.Map("/api/{**rest}", (RequestDelegate)(c => ApiAnswer.ErrorAsync(c, StatusCodes.Status404NotFound, "not_found", "There is nothing here.")));
    }

    private async Task EventsAsync(HttpContext context, CancellationToken stopping)
    {
        if (feed.Listen() is not { } messages)
        {
            context.Response.Headers.RetryAfter = "5";
            await ApiAnswer.ErrorAsync(context, StatusCodes.Status503ServiceUnavailable, "too_many_listeners", $"{StatusFeed.MaxListeners} listen already.");
            return;
        }

        using var either = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, stopping);
        try
        {
            context.Features.Get<IHttpResponseBodyFeature>()?.DisableBuffering();
            context.Response.ContentType = "text/event-stream";
            await context.Response.Body.WriteAsync(feed.Greeting(), either.Token);
            await foreach (var message in messages.ReadAllAsync(either.Token))
            {
                await context.Response.Body.WriteAsync(message, either.Token);
            }
        }
        catch (OperationCanceledException)
        {
            // The listener has left, or the process stops.
        }
        finally
        {
            feed.Leave(messages);
        }
    }

    private async Task ReloadAsync(HttpContext context)
    {
        var dryRun = context.Request.Query["dryRun"] is [{ } text] && (text.Length == 0 || (bool.TryParse(text, out var flag) && flag));
        var outcome = await configuration.ReloadAsync(dryRun, context.RequestAborted);
        var status = outcome.Success ? StatusCodes.Status200OK
            : outcome.Supported ? StatusCodes.Status422UnprocessableEntity
            : StatusCodes.Status501NotImplemented;
        await ApiAnswer.JsonAsync(context, outcome, ApiJson.Default.ReloadOutcome, status);
    }

    private async Task ActAsync(HttpContext context)
    {
        var id = (string)context.Request.RouteValues["id"]!;
        if (ActionOf((string)context.Request.RouteValues["action"]!) is not { } action)
        {
            await ApiAnswer.ErrorAsync(context, StatusCodes.Status404NotFound, "no_such_action", "An action is isolate, close or reset.");
            return;
        }

        if (KindOf(context.Request.Query["circuit"].ToString()) is not { } kind)
        {
            await ApiAnswer.ErrorAsync(context, StatusCodes.Status400BadRequest, "no_such_circuit", "A circuit is cluster or streaming.");
            return;
        }

        if (!proxy.TryGetCluster(id, out var cluster))
        {
            await ApiAnswer.ErrorAsync(context, StatusCodes.Status404NotFound, "no_such_cluster", "No cluster of this id is configured.");
            return;
        }

        // A pill that says isolated over traffic that flows would be worse than a refusal.
        var settings = report.GuardedClusters().GetValueOrDefault(cluster.ClusterId)?.CircuitBreaker;
        if (settings is not { Enabled: true })
        {
            await ApiAnswer.ErrorAsync(context, StatusCodes.Status409Conflict, "no_circuit", settings is null
                ? "No chat route leads to this cluster, so nobody looks at its circuits."
                : "The circuit breaker of this cluster is switched off by configuration.");
            return;
        }

        var (why, problem) = await ReadWhyAsync(context);
        if (problem is not null)
        {
            await ApiAnswer.ErrorAsync(context, StatusCodes.Status400BadRequest, "invalid_request", problem);
            return;
        }

        var cell = control.Apply(cluster.ClusterId, kind, action, OperatorOf(context), why);
        await ApiAnswer.JsonAsync(
            context,
            new CircuitActionAnswer(cluster.ClusterId, GatewayMetrics.Label(kind), CircuitControl.Word(action), StatusReport.Describe(cell, settings)),
            ApiJson.Default.CircuitActionAnswer);
    }

    private static CircuitAction? ActionOf(string word) => word.ToLowerInvariant() switch
    {
        "isolate" => CircuitAction.Isolate,
        "close" => CircuitAction.Close,
        "reset" => CircuitAction.Reset,
        _ => null,
    };

    private static CircuitKind? KindOf(string word) => word.ToLowerInvariant() switch
    {
        "" or "cluster" => CircuitKind.Cluster,
        "streaming" => CircuitKind.Streaming,
        _ => null,
    };

    private static Operator OperatorOf(HttpContext context)
    {
        var remote = context.Connection.RemoteIpAddress is { } ip
            ? string.Create(CultureInfo.InvariantCulture, $"{(ip.IsIPv4MappedToIPv6 ? ip.MapToIPv4() : ip)}")
            : "local";
        var user = PlainText.Of(context.Request.Headers[UserHeader].ToString(), MaxUserLength);
        return new Operator(user.Length > 0 ? user : remote, remote);
    }

    private static async Task<(string Why, string? Problem)> ReadWhyAsync(HttpContext context)
    {
        var body = new byte[MaxBodyBytes + 1];
        var length = await context.Request.Body.ReadAtLeastAsync(body, body.Length, throwOnEndOfStream: false, context.RequestAborted);
        if (length > MaxBodyBytes)
        {
            return ("", $"The body is longer than {MaxBodyBytes} bytes.");
        }

        if (length == 0)
        {
            return ("no reason given", null);
        }

        try
        {
            var why = PlainText.Of(JsonSerializer.Deserialize(body.AsSpan(0, length), ApiJson.Default.CircuitActionRequest)?.Why, MaxWhyLength);
            return (why.Length > 0 ? why : "no reason given", null);
        }
        catch (JsonException)
        {
            return ("", "The body is not {\"why\": \"…\"}.");
        }
    }
}
