using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Time.Testing;
using Microsoft.Net.Http.Headers;
using ProxyGateway.StreamingFallback.Attempts;
using ProxyGateway.StreamingFallback.ChatFormats;
using ProxyGateway.StreamingFallback.ChatFormats.OpenAIChat;
using ProxyGateway.StreamingFallback.Configuration;
using ProxyGateway.StreamingFallback.Exchange;
using Xunit;
using Yarp.ReverseProxy.Configuration;
using Yarp.ReverseProxy.Forwarder;
using Yarp.ReverseProxy.Model;

namespace ProxyGateway.Tests.Allocations;

public sealed class AttemptAllocationTests
{
    [Theory]
    [InlineData("plain text")]
    [InlineData("escaped text")]
    [InlineData("tool call")]
    public void EventsFromUpstreamToClient_AllocateNothing(string kind)
    {
        var events = EventTexts.Of(kind);
        var allocated = Allocated.Least(
            () => new FlowingAttempt(events[0]),
            attempt =>
            {
                foreach (var e in events)
                {
                    attempt.Write(e);
                }
            });
        Assert.Equal(0, allocated);
    }

    /// <summary>An attempt that has delivered its first content to a client that takes everything at once.</summary>
    private sealed class FlowingAttempt : IDisposable
    {
        private readonly ChatExchange _exchange;
        private readonly Attempt _attempt;
        private long _written;

        public FlowingAttempt(byte[] first)
        {
            var route = TestRoutes.OpenAIChat();
            var http = new DefaultHttpContext();
            http.Features.Set<IReverseProxyFeature>(new RoutedFeature(new RouteModel(new RouteConfig(), null, HttpTransformer.Empty)));
            http.Request.Body = new MemoryStream("{}"u8.ToArray());
            http.Request.ContentLength = 2;
            var (body, _) = RequestBody.ReadAsync(http.Request, 1024, default, default).AsTask().GetAwaiter().GetResult();
            _exchange = new ChatExchange(http, route, new ChatRequest { Streaming = true }, body!, new FakeTimeProvider(), default)
            {
                Plan = route.PlanForAll,
                Attempts = 1,
            };
            _attempt = new Attempt(_exchange, route.Cluster, AttemptMode.Streaming, isReplay: false);
            _attempt.Features.StatusCode = StatusCodes.Status200OK;
            _attempt.Features.Headers[HeaderNames.ContentType] = "text/event-stream";
            Write(EventTexts.Role);
            Write(EventTexts.Of("plain text")[0]);
            Write(first);
            Assert.True(_attempt.Delivering);
        }

        public void Write(byte[] bytes)
        {
            var pending = _attempt.OnBytesAsync(bytes);
            Assert.True(pending.IsCompletedSuccessfully);
            _written += bytes.Length;
            Assert.True(!_attempt.Delivering || _exchange.Client.BytesWritten == _written);
        }

        public void Dispose()
        {
            _attempt.Conclude(null);
            _attempt.Dispose();
            _exchange.Dispose();
        }
    }
}
