using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using ProxyGateway.StreamingFallback.Attempts;
using ProxyGateway.StreamingFallback.Buffers;
using ProxyGateway.StreamingFallback.ChatFormats;
using ProxyGateway.StreamingFallback.Configuration;
using ProxyGateway.StreamingFallback.Limits;
using ProxyGateway.StreamingFallback.Telemetry;

namespace ProxyGateway.StreamingFallback.Exchange;

/// <summary>First of the proxy pipeline: takes in what comes on a guarded route and hands it to a runner; leaves all else to YARP.</summary>
internal sealed class ExchangeMiddleware(RequestDelegate next, ExchangeServices services, ILogger<ExchangeMiddleware> logger)
{
    public Task InvokeAsync(HttpContext context)
    {
        var route = RouteSettings.Of(context.Proxy().Route.Config);
        if (route is null || !HttpMethods.IsPost(context.Request.Method))
        {
            return next(context);
        }

        var admission = AdmitAsync(context, route);
        // Most bodies arrive with their heads. Then an open stream waits in one layer less.
        return admission.IsCompletedSuccessfully ? RunAsync(admission.Result) : WaitAndRunAsync(admission);
    }

    private async Task WaitAndRunAsync(ValueTask<ChatExchange?> admission) => await RunAsync(await admission);

    private Task RunAsync(ChatExchange? exchange)
    {
        if (exchange is null)
        {
            return Task.CompletedTask;
        }

        // Here and not where the exchange is admitted: what an asynchronous method makes current is forgotten at its end.
        exchange.Span = GatewayTracing.StartExchange(exchange.Http.Request, exchange.Route, exchange.RequestId);
        return services.RunAsync(exchange, new ExchangeRunner(exchange, next, services), logger);
    }

    /// <summary>
    /// Past the limit over all routes, before the body is read: bodies are what takes memory. Reads the body, and the request out of it.
    /// Null where it was refused and has its answer.
    /// </summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<ChatExchange?> AdmitAsync(HttpContext context, RouteSettings route)
    {
        var limits = services.Visits.Limits;
        if (!await limits.All.EnterAsync(route.Limits.Concurrency, context.RequestAborted))
        {
            services.Metrics.Overloaded("");
            await RefuseAsync(context, route, RequestIds.Of(context.Request), Overloaded(), request: null, TimeSpan.Zero);
            return null;
        }

        ChatExchange? admitted = null;
        RequestBody? body = null;
        try
        {
            var startedAt = services.Time.GetTimestamp();
            var requestId = RequestIds.Of(context.Request);
            var memory = new MemoryShare(limits.Memory, route.Limits.MaxReplayMemoryBytes);
            (body, var error) = await ReadBodyAsync(context, route, memory);
            ChatRequest? request = null;
            error ??= Read(context, route, body!, out request) ?? CountHop(context);
            if (error is null && AttemptPlan.For(route, request!) is { } plan)
            {
                AttemptRequest.Clean(context, requestId);
                if (request!.Streaming)
                {
                    body!.Settle();
                }

                return admitted = new ChatExchange(context, route, request, body!, services.Time, services.Drain.EndStreams)
                {
                    Plan = plan,
                    RequestId = requestId,
                    ClusterId = plan[0].Settings.ClusterId,
                    Metrics = services.Metrics,
                    Memory = memory,
                    TextMemory = memory with { Budget = limits.Text },
                };
            }

            if (error is { Status: StatusCodes.Status503ServiceUnavailable })
            {
                services.Metrics.OutOfReplayMemory(route.RouteId);
            }

            await RefuseAsync(context, route, requestId, error ?? UnknownModel(), request, services.Time.GetElapsedTime(startedAt));
            return null;
        }
        finally
        {
            if (admitted is null)
            {
                body?.Dispose();
                limits.All.Leave();
            }
        }
    }

    /// <summary>Reads the body into memory; what speaks against that where it cannot be.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private static async ValueTask<(RequestBody? Body, GatewayError? Error)> ReadBodyAsync(HttpContext context, RouteSettings route, MemoryShare memory)
    {
        if (context.Request.Headers.ContentEncoding is [{ Length: > 0 } encoding] && !encoding.Equals("identity", StringComparison.OrdinalIgnoreCase))
        {
            return (null, Unreadable("A compressed request body cannot be read; send it without Content-Encoding."));
        }

        try
        {
            var (body, why) = await RequestBody.ReadAsync(context.Request, route.Limits.MaxRequestBytes, memory, context.RequestAborted);
            return (body, body is not null ? null : why == BodyRefusal.TooLarge ? TooLarge(route) : Overloaded());
        }
        catch (BadHttpRequestException e)
        {
            return (null, e.StatusCode == StatusCodes.Status413PayloadTooLarge ? TooLarge(route) : Unreadable("The request body could not be read."));
        }
        catch (OutOfMemoryException)
        {
            return (null, Overloaded());
        }
    }

    private static GatewayError? Read(HttpContext context, RouteSettings route, RequestBody body, out ChatRequest? request) =>
        route.Format.ReadRequest(body.Memory.Span, context.Request.Path.Value + context.Request.QueryString.Value, out request) is { } problem
            ? Unreadable(problem)
            : null;

    private static GatewayError? CountHop(HttpContext context) => HopCount.TryAdd(context.Request.Headers) ? null : FaultAnswer.TooManyHops;

    private static GatewayError UnknownModel() => new(StatusCodes.Status404NotFound, "model_not_found", "No cluster is configured for this model.");

    private static GatewayError Overloaded()
    {
        var fault = new Fault(FaultKind.Overloaded, FaultPhase.Connect);
        return new GatewayError(StatusCodes.Status503ServiceUnavailable, fault.Kind.Code(), fault.Sentence());
    }

    private static GatewayError Unreadable(string why) => new(StatusCodes.Status400BadRequest, "invalid_request", why);

    private static GatewayError TooLarge(RouteSettings route) => new(
        StatusCodes.Status413PayloadTooLarge, "request_too_large", $"The request body is larger than {route.Limits.MaxRequestBytes} bytes.");

    private async Task RefuseAsync(HttpContext context, RouteSettings route, string requestId, GatewayError error, ChatRequest? request, TimeSpan after)
    {
        services.Live.Refused();
        services.Metrics.Refused(route.RouteId, after);
        ExchangeLog.Refused(logger, error, route.RouteId, requestId);
        using var body = new PooledBuffer();
        route.Format.WriteErrorBody(error, request, body);
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
