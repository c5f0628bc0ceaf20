using System.Collections.Concurrent;
using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using ProxyGateway.Demo;
using ProxyGateway.Hosting;
using ProxyGateway.Management;

namespace ProxyGateway.IntegrationTests.Management;

/// <summary>A whole gateway in front of the demo agents, with both its ports and its log.</summary>
internal sealed class ManagedGateway : IAsyncDisposable
{
    private readonly LogLines _log;

    private ManagedGateway(WebApplication app, DemoFleet fleet, LogLines log)
    {
        (App, Fleet, _log) = (app, fleet, log);
        Proxy = new Uri(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());
        Address = new Uri(app.Services.GetRequiredService<ManagementServer>().Address!);
        Client = new HttpClient(new SocketsHttpHandler { UseProxy = false, MaxConnectionsPerServer = 100 }) { BaseAddress = Address };
    }

    public WebApplication App { get; }

    public DemoFleet Fleet { get; }

    public Uri Proxy { get; }

    /// <summary>Of the management port.</summary>
    public Uri Address { get; }

    public HttpClient Client { get; }

    public IReadOnlyCollection<string> Log => _log.Lines;

    public static async Task<ManagedGateway> StartAsync(CancellationToken cancel, params (string Key, string? Value)[] settings)
    {
        var fleet = await DemoFleet.StartAsync(TimeSpan.FromMilliseconds(2), cancel);
        var configuration = DemoConfiguration.For(fleet, "http://127.0.0.1:0");
        foreach (var (key, value) in settings)
        {
            configuration[key] = value;
        }

        var log = new LogLines();
        var app = GatewayHost.Build(c => c.AddInMemoryCollection(configuration), b => b.Logging.AddProvider(log));
        await app.StartAsync(cancel);
        return new ManagedGateway(app, fleet, log);
    }

    public async Task<HttpResponseMessage> ChatAsync(string model, CancellationToken cancel, string prompt = "Tell me a story")
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(Proxy, "/v1/chat/completions"))
        {
            Content = new StringContent(DemoClient.RequestBody(model, prompt, stream: true), System.Text.Encoding.UTF8, "application/json"),
        };
        return await Client.SendAsync(request, cancel);
    }

    public HttpRequestMessage Post(string path, string? body = null)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, path);
        request.Headers.Add("x-gateway-management", "1");
        request.Content = body is null ? null : new StringContent(body);
        return request;
    }

    public async Task<HttpResponseMessage> PostAsync(string path, CancellationToken cancel, string? body = null)
    {
        using var request = Post(path, body);
        return await Client.SendAsync(request, cancel);
    }

    public async Task<JsonElement> StatusAsync(CancellationToken cancel) => await Client.GetFromJsonAsync<JsonElement>("/api/status", cancel);

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await App.StopAsync();
        await App.DisposeAsync();
        await Fleet.DisposeAsync();
    }

    private sealed class LogLines : ILoggerProvider
    {
        private readonly ConcurrentQueue<string> _lines = new();

        public IReadOnlyCollection<string> Lines => _lines;

        public ILogger CreateLogger(string categoryName) => new Logger(_lines);

        public void Dispose()
        {
        }

        private sealed class Logger(ConcurrentQueue<string> lines) : ILogger
        {
            public IDisposable? BeginScope<TState>(TState state)
                where TState : notnull => null;

            public bool IsEnabled(LogLevel logLevel) => true;

            public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
                lines.Enqueue(formatter(state, exception));
        }
    }
}
