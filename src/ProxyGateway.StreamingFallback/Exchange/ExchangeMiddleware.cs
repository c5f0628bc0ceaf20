using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using ProxyGateway.StreamingFallback.Attempts;
using ProxyGateway.StreamingFallback.Buffers;
using ProxyGateway.StreamingFallback.ChatFormats;
using ProxyGateway.StreamingFallback.Configuration;
using ProxyGateway.StreamingFallback.Limits;
using ProxyGateway.StreamingFallback.Telemetry;
using Yarp.ReverseProxy.Model;

namespace ProxyGateway.StreamingFallback.Exchange;

/// <summary>First of the proxy pipeline: takes in what comes on a guarded route and hands it to a runner; leaves all else to YARP.</summary>
internal sealed class ExchangeMiddleware(RequestDelegate next, ExchangeServices services, ILogger<ExchangeMiddleware> logger)
{
    public Task InvokeAsync(HttpContext context)
    {
        var settings = RouteSettings.Of(context.GetRouteModel().Config);
        return settings is null || !HttpMethods.IsPost(context.Request.Method) ? next(context) : EnterAsync(context, settings);
    }

    /// <summary>Past the limit over all routes, before the body is read: bodies are what takes memory.</summary>
    private async Task EnterAsync(HttpContext context, RouteSettings route)
    {
        var gate = services.Visits.Limits.All;
        if (!await gate.EnterAsync(route.Limits.Concurrency, context.RequestAborted))
        {
            services.Metrics.Overloaded("");
            await RefuseAsync(context, route, RequestIds.Of(context.Request), Overloaded(), TimeSpan.Zero);
            return;
        }

        try
        {
            var startedAt = services.Time.GetTimestamp();
            var requestId = RequestIds.Of(context.Request);
            var memory = new MemoryShare(services.Visits.Limits.Memory, route.Limits.MaxReplayMemoryBytes);
            var (body, request, refusal) = await AdmitAsync(context, route, memory);
            var plan = request is null ? null : AttemptPlan.For(route, request);
            if ((refusal ?? Check(context, plan)) is { } error)
            {
                if (error.Status == StatusCodes.Status503ServiceUnavailable)
                {
                    services.Metrics.OutOfReplayMemory(route.RouteId);
                }

                body?.Dispose();
                await RefuseAsync(context, route, requestId, error, services.Time.GetElapsedTime(startedAt));
                return;
            }

            AttemptRequest.Clean(context, requestId);
            using var span = GatewayTracing.StartExchange(context.Request, route, requestId);
            using var exchange = new ChatExchange(context, route, request!, body!, services.Time, services.Drain.EndStreams)
            {
                RequestId = requestId,
                ClusterId = plan![0].Settings.ClusterId,
                Span = span,
                Metrics = services.Metrics,
                Memory = memory,
                TextMemory = memory with { Budget = services.Visits.Limits.Text },
            };
            try
            {
                await services.RunAsync(exchange, new ExchangeRunner(exchange, plan, next, services), logger);
            }
            finally
            {
                GatewayTracing.Ended(exchange);
            }
        }
        finally
        {
            gate.Leave();
        }
    }

    /// <summary>What of a request that was read speaks against sending it on; null where nothing does.</summary>
    private static GatewayError? Check(HttpContext context, IReadOnlyList<PlannedCluster>? plan) =>
        !HopCount.TryAdd(context.Request.Headers) ? FaultAnswer.TooManyHops
        : plan is null ? new GatewayError(StatusCodes.Status404NotFound, "model_not_found", "No cluster is configured for this model.")
        : null;

    /// <summary>Reads the body into memory and the request out of it.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private static async ValueTask<(RequestBody? Body, ChatRequest? Request, GatewayError? Refusal)> AdmitAsync(HttpContext context, RouteSettings route, MemoryShare memory)
    {
        if (context.Request.Headers.ContentEncoding is [{ Length: > 0 } encoding] && !encoding.Equals("identity", StringComparison.OrdinalIgnoreCase))
        {
            return (null, null, Unreadable("A compressed request body cannot be read; send it without Content-Encoding."));
        }

        RequestBody? body;
        BodyRefusal why;
        try
        {
            (body, why) = await RequestBody.ReadAsync(context.Request, route.Limits.MaxRequestBytes, memory, context.RequestAborted);
        }
        catch (BadHttpRequestException e)
        {
            return (null, null, e.StatusCode == StatusCodes.Status413PayloadTooLarge ? TooLarge(route) : Unreadable("The request body could not be read."));
        }
        catch (OutOfMemoryException)
        {
            return (null, null, Overloaded());
        }

        if (body is null)
        {
            return (null, null, why == BodyRefusal.TooLarge ? TooLarge(route) : Overloaded());
        }

        var target = context.Request.Path.Value + context.Request.QueryString.Value;
        var problem = route.Format.ReadRequest(body.Memory.Span, target, out var request);
        return problem is null ? (body, request, null) : (body, null, Unreadable(problem));
    }

    private static GatewayError Overloaded()
    {
        var fault = new Fault(FaultKind.Overloaded, FaultPhase.Connect);
        return new GatewayError(StatusCodes.Status503ServiceUnavailable, fault.Kind.Code(), fault.Sentence());
    }

    private static GatewayError Unreadable(string why) => new(StatusCodes.Status400BadRequest, "invalid_request", why);

    private static GatewayError TooLarge(RouteSettings route) => new(
        StatusCodes.Status413PayloadTooLarge, "request_too_large", $"The request body is larger than {route.Limits.MaxRequestBytes} bytes.");

    private async Task RefuseAsync(HttpContext context, RouteSettings route, string requestId, GatewayError error, TimeSpan after)
    {
        services.Live.Refused();
        services.Metrics.Refused(route.RouteId, after);
        using var body = new PooledBuffer();
        route.Format.WriteErrorBody(error, body);
        var response = context.Response;
        response.StatusCode = error.Status;
        response.ContentType = "application/json";
        response.ContentLength = body.Length;
        if (error.Status == StatusCodes.Status503ServiceUnavailable)
        {
            response.Headers.RetryAfter = "1";
        }

        response.Headers[RequestIds.Header] = requestId;
        await response.Body.WriteAsync(body.Memory, context.RequestAborted);
    }
}
