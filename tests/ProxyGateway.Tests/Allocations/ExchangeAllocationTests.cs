using System.Diagnostics.CodeAnalysis;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using ProxyGateway.StreamingFallback;
using ProxyGateway.StreamingFallback.Exchange;
using Xunit;
using Yarp.ReverseProxy;
using Yarp.ReverseProxy.Configuration;
using Yarp.ReverseProxy.Forwarder;
using Yarp.ReverseProxy.Model;

namespace ProxyGateway.Tests.Allocations;

/// <summary>
/// What an exchange allocates in this library, YARP and the server left out. The bounds are generous: they are to notice a copy
/// of a body or a closure per event, not a field more. They hold for an unoptimized build, whose async methods allocate more.
/// </summary>
public sealed class ExchangeAllocationTests
{
    private const int Exchanges = 200;

    [Theory]
    [InlineData(true, 12_500)]
    [InlineData(false, 11_000)]
    public void HealthyExchange_StaysWithinItsBytes(bool streaming, long bound)
    {
        using var gateway = new FakeGateway(streaming);
        for (var i = 0; i < 300; i++)
        {
            gateway.RunOne();
        }

        var each = Allocated.Least(() => gateway.Borrow(), g =>
        {
            for (var i = 0; i < Exchanges; i++)
            {
                g.Gateway.RunOne();
            }
        }) / Exchanges;
        TestContext.Current.TestOutputHelper?.WriteLine($"{each} bytes per exchange");
        Assert.InRange(each, 1, bound);
    }

    private sealed class FakeGateway : IDisposable
    {
        private static readonly byte[] Answer = Encoding.UTF8.GetBytes(
            """{"id":"1","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"Hello"},"finish_reason":"stop"}]}""");

        private readonly bool _streaming;
        private readonly byte[] _request;
        private readonly byte[][] _events = EventTexts.Of("plain text")[..50];
        private readonly ServiceProvider _services;
        private readonly RouteModel _route;
        private readonly ExchangeMiddleware _middleware;
        private TaskCompletionSource _upstream = new();

        public FakeGateway(bool streaming)
        {
            _streaming = streaming;
            _request = Encoding.UTF8.GetBytes($$$"""{"model":"m","stream":{{{(streaming ? "true" : "false")}}},"messages":[]}""");
            var cluster = new ClusterState("agent", new ClusterModel(new ClusterConfig { ClusterId = "agent" }, new HttpMessageInvoker(new SocketsHttpHandler())));
            var destination = new DestinationState("a", new DestinationModel(new DestinationConfig { Address = "http://agent.test/" }));
            cluster.Destinations.TryAdd("a", destination);
            cluster.DestinationsState = new ClusterDestinationsState([destination], [destination]);
            var config = new RouteConfig { RouteId = "chat", ClusterId = "agent", Match = new RouteMatch { Path = "/" } };
            TestRoutes.OpenAIChat().AttachTo(config);
            _route = new RouteModel(config, cluster, HttpTransformer.Empty);
            var services = new ServiceCollection();
            services.AddLogging();
            services.AddSingleton<IConfiguration>(new ConfigurationBuilder().Build());
            services.AddReverseProxy().AddStreamingFallback();
            services.AddSingleton<IProxyStateLookup>(new OneCluster(cluster));
            _services = services.BuildServiceProvider();
            _middleware = new ExchangeMiddleware(ForwardAsync, _services.GetRequiredService<ExchangeServices>(), NullLogger<ExchangeMiddleware>.Instance);
        }

        public void RunOne()
        {
            var http = new DefaultHttpContext();
            http.Request.Method = "POST";
            http.Request.Path = "/v1/chat/completions";
            http.Request.Body = new MemoryStream(_request);
            http.Request.ContentLength = _request.Length;
            http.Features.Set<IReverseProxyFeature>(new RoutedFeature(_route));
            http.SetEndpoint(new Endpoint(null, new EndpointMetadataCollection(_route), null));
            _upstream = new TaskCompletionSource();
            var run = _middleware.InvokeAsync(http);
            // Everything that waits for the upstream goes on here, on this thread: what waiting costs is counted too.
            _upstream.SetResult();
            Assert.True(run.IsCompletedSuccessfully);
            Assert.Equal(StatusCodes.Status200OK, http.Response.StatusCode);
        }

        public Borrowed Borrow() => new(this);

        public void Dispose() => _services.Dispose();

        private async Task ForwardAsync(HttpContext http)
        {
            await _upstream.Task;
            http.Response.StatusCode = StatusCodes.Status200OK;
            http.Response.ContentType = _streaming ? "text/event-stream" : "application/json";
            if (!_streaming)
            {
                await http.Response.Body.WriteAsync(Answer);
                return;
            }

            foreach (var e in _events)
            {
                await http.Response.Body.WriteAsync(e);
            }

            await http.Response.Body.WriteAsync(EventTexts.End);
        }
    }

    private sealed record Borrowed(FakeGateway Gateway) : IDisposable
    {
        public void Dispose()
        {
        }
    }

    private sealed class OneCluster(ClusterState cluster) : IProxyStateLookup
    {
        public bool TryGetRoute(string id, [NotNullWhen(true)] out RouteModel? route)
        {
            route = null;
            return false;
        }

        public IEnumerable<RouteModel> GetRoutes() => [];

        public bool TryGetCluster(string id, [NotNullWhen(true)] out ClusterState? found)
        {
            found = id == cluster.ClusterId ? cluster : null;
            return found is not null;
        }

        public IEnumerable<ClusterState> GetClusters() => [cluster];
    }
}
