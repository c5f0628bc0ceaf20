using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Time.Testing;
using Microsoft.Net.Http.Headers;
using ProxyGateway.StreamingFallback.Attempts;
using ProxyGateway.StreamingFallback.ChatFormats;
using ProxyGateway.StreamingFallback.Exchange;
using Yarp.ReverseProxy.Configuration;
using Yarp.ReverseProxy.Forwarder;
using Yarp.ReverseProxy.Model;

namespace ProxyGateway.Tests.Allocations;

/// <summary>The first attempt of an exchange, whose upstream has answered with the headers of a stream.</summary>
internal sealed class StreamingAttempt : IDisposable
{
    public StreamingAttempt(HttpContext http)
    {
        var route = TestRoutes.OpenAIChat();
        http.Features.Set<IReverseProxyFeature>(new RoutedFeature(new RouteModel(new RouteConfig(), null, HttpTransformer.Empty)));
        http.Request.Body = new MemoryStream("{}"u8.ToArray());
        http.Request.ContentLength = 2;
        var (body, _) = RequestBody.ReadAsync(http.Request, 1024, default, default).AsTask().GetAwaiter().GetResult();
        Exchange = new ChatExchange(http, route, new ChatRequest { Streaming = true }, body!, new FakeTimeProvider(), default)
        {
            Plan = route.PlanForAll,
            Attempts = 1,
        };
        Attempt = new Attempt(Exchange, route.Cluster, AttemptMode.Streaming, isReplay: false);
        Attempt.Features.StatusCode = StatusCodes.Status200OK;
        Attempt.Features.Headers[HeaderNames.ContentType] = "text/event-stream";
    }

    public ChatExchange Exchange { get; }

    public Attempt Attempt { get; }

    public void Dispose()
    {
        Attempt.Conclude(null);
        Attempt.Dispose();
        Exchange.Dispose();
    }
}
