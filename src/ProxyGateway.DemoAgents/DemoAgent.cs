using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace ProxyGateway.DemoAgents;

/// <summary>
/// A chat agent that answers deterministically and fails on request: OpenAI chat completions,
/// Anthropic messages and a list of models. Disposing it stops it and kills the answers still under way.
/// </summary>
public sealed class DemoAgent : IAsyncDisposable
{
    // What is still under way then is aborted: a stopped agent is a dead agent to its clients.
    private static readonly TimeSpan s_shutdownTimeout = TimeSpan.FromMilliseconds(50);

    private readonly WebApplication _app;
    private readonly AgentEndpoints _endpoints;
    private readonly CancellationTokenSource _stopping;

    private DemoAgent(WebApplication app, AgentEndpoints endpoints, CancellationTokenSource stopping, string name)
    {
        _app = app;
        _endpoints = endpoints;
        _stopping = stopping;
        Name = name;
        Address = new Uri(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single());
    }

    public string Name { get; }

    /// <summary>The base address, with the port really taken.</summary>
    public Uri Address { get; }

    /// <summary>Streaming chat requests read so far.</summary>
    public int StreamingRequests => _endpoints.StreamingRequests;

    /// <summary>Non-streaming chat requests read so far.</summary>
    public int NonStreamingRequests => _endpoints.NonStreamingRequests;

    public static async Task<DemoAgent> StartAsync(DemoAgentOptions options, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(options.Tokens, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.TokensPerBurst, 1);

        // Empty, because the agent shares a process with a host whose configuration and signals are not the agent's.
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddSingleton<IHostLifetime, EmbeddedLifetime>();
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = s_shutdownTimeout);
        builder.WebHost.UseKestrelCore().UseSockets(sockets =>
        {
            // A write completes when the socket has taken its bytes: a death after it can then not take them away.
            sockets.MaxWriteBufferSize = options.BufferWrites ? sockets.MaxWriteBufferSize : 1;
        });
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Listen(options.Address, options.Port, listen => listen.Protocols = options.Http2 ? HttpProtocols.Http2 : HttpProtocols.Http1);
        });

        var app = builder.Build();
        var stopping = new CancellationTokenSource();
        var endpoints = new AgentEndpoints(options, new AnswerPlayer(options, stopping.Token));
        app.Run(endpoints.HandleAsync);
        try
        {
            await app.StartAsync(cancellationToken);
        }
        catch
        {
            await app.DisposeAsync();
            stopping.Dispose();
            throw;
        }

        return new DemoAgent(app, endpoints, stopping, options.Name);
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _app.StopAsync();
        await _app.DisposeAsync();
        _stopping.Dispose();
    }

    /// <summary>Starts and stops with the agent object alone.</summary>
    private sealed class EmbeddedLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
