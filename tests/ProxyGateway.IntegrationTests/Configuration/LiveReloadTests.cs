using System.Diagnostics;
using System.Net;
using System.Runtime.InteropServices;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using ProxyGateway.Configuration;
using ProxyGateway.Configuration.Merging;
using ProxyGateway.Configuration.Reload;
using ProxyGateway.Configuration.Validation;
using Xunit;

namespace ProxyGateway.IntegrationTests.Configuration;

/// <summary>YARP on real sockets over the reloading configuration, driven by its own clock and by SIGHUP.</summary>
public sealed class LiveReloadTests
{
    [Fact]
    public async Task EditUnderTraffic_MovesTrafficWithinTwoSecondsAndDropsNothing()
    {
        var cancellation = TestContext.Current.CancellationToken;
        await using var old = await Upstream("old");
        await using var now = await Upstream("new");
        await using var proxy = await Proxy.Start(PortOf(old));
        using var client = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{PortOf(proxy.App)}") };

        var answers = new List<(TimeSpan At, HttpStatusCode Status, string Body)>();
        var clock = Stopwatch.StartNew();
        TimeSpan? edited = null;
        while (clock.Elapsed < TimeSpan.FromSeconds(5))
        {
            // The bad edit comes first, so that it is what the good one replaces.
            if (edited is null && clock.Elapsed > TimeSpan.FromSeconds(2.5))
            {
                edited = clock.Elapsed;
                File.WriteAllText(proxy.File, Proxy.Text(PortOf(now)));
            }
            else if (edited is null && clock.Elapsed > TimeSpan.FromSeconds(0.5) && answers.Count % 20 == 0)
            {
                File.WriteAllText(proxy.File, Proxy.Text(PortOf(now))[..80]);
            }

            using var response = await client.GetAsync(new Uri("/x", UriKind.Relative), cancellation);
            answers.Add((clock.Elapsed, response.StatusCode, await response.Content.ReadAsStringAsync(cancellation)));
            await Task.Delay(10, cancellation);
        }

        Assert.All(answers, a => Assert.Equal(HttpStatusCode.OK, a.Status));
        Assert.All(answers.Where(a => a.At < edited), a => Assert.Equal("old", a.Body));
        Assert.All(answers.Where(a => a.At > edited + TimeSpan.FromSeconds(2)), a => Assert.Equal("new", a.Body));
    }

    [Fact]
    public async Task StreamInFlight_OutlivesTheEditThatTakesItsClusterAway()
    {
        var cancellation = TestContext.Current.CancellationToken;
        var release = new TaskCompletionSource();
        await using var old = await Upstream("old", release.Task);
        await using var now = await Upstream("new");
        await using var proxy = await Proxy.Start(PortOf(old));
        using var client = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{PortOf(proxy.App)}") };
        using var response = await client.GetAsync(new Uri("/x", UriKind.Relative), HttpCompletionOption.ResponseHeadersRead, cancellation);

        File.WriteAllText(proxy.File, Proxy.Text(PortOf(now)).Replace("\"agent\"", "\"other\"", StringComparison.Ordinal));
        var result = proxy.Reloader.Reload(dryRun: false);
        release.SetResult();

        Assert.Equal("~1 route +1 cluster -1 cluster", result.Summary);
        Assert.Equal("old", await response.Content.ReadAsStringAsync(cancellation));
    }

    [Fact]
    public async Task WhatYarpDoesNotTakeOn_IsRejectedAndTheLastGoodOneServesOn()
    {
        var cancellation = TestContext.Current.CancellationToken;
        await using var old = await Upstream("old");
        await using var now = await Upstream("new");
        await using var proxy = await Proxy.Start(PortOf(old), stopPolling: true);
        using var client = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{PortOf(proxy.App)}") };
        Task<string> Ask() => client.GetStringAsync(new Uri("/x", UriKind.Relative), cancellation);
        Assert.Equal("old", await Ask());

        File.WriteAllText(proxy.File, Proxy.Text(PortOf(now)).Replace("\"Match\"", $"\"Metadata\": {{ \"{Proxy.Unbuildable}\": \"yes\" }}, \"Match\"", StringComparison.Ordinal));
        var rejected = proxy.Reloader.Reload(dryRun: false);

        Assert.False(rejected.Success);
        Assert.Equal(1, proxy.Reloader.State.Version);
        Assert.False(proxy.Reloader.State.LastReloadSuccessful);
        Assert.Contains("YARP did not take it on: NotSupportedException", rejected.Summary, StringComparison.Ordinal);
        Assert.Equal("old", await Ask());

        File.WriteAllText(proxy.File, Proxy.Text(PortOf(now)));
        var taken = proxy.Reloader.Reload(dryRun: false);

        Assert.True(taken.Success);
        Assert.Equal(2, proxy.Reloader.State.Version);
        Assert.Equal("new", await Ask());
    }

    [Fact]
    public async Task HangUpSignal_ReloadsAtOnceAndDoesNotEndTheProcess()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "There is no SIGHUP.");
        await using var old = await Upstream("old");
        await using var proxy = await Proxy.Start(PortOf(old), stopPolling: true);
        File.WriteAllText(proxy.File, Proxy.Text(1234));

        Assert.Equal(0, Kill(Environment.ProcessId, 1));

        await WaitFor(() => proxy.Reloader.State.Version == 2);
    }

    [DllImport("libc", EntryPoint = "kill")]
    private static extern int Kill(int process, int signal);

    private static async Task WaitFor(Func<bool> condition)
    {
        for (var i = 0; i < 500 && !condition(); i++)
        {
            await Task.Delay(10, TestContext.Current.CancellationToken);
        }

        Assert.True(condition());
    }

    private static async Task<WebApplication> Upstream(string answer, Task? wait = null)
    {
        var app = Build(WebApplication.CreateSlimBuilder());
        app.Run(async context =>
        {
            await context.Response.WriteAsync(answer[..1]);
            await context.Response.Body.FlushAsync();
            await (wait ?? Task.CompletedTask);
            await context.Response.WriteAsync(answer[1..]);
        });
        await app.StartAsync();
        return app;
    }

    private static WebApplication Build(WebApplicationBuilder builder)
    {
        builder.WebHost.ConfigureKestrel(k => k.Listen(IPAddress.Loopback, 0));
        builder.Logging.ClearProviders();
        return builder.Build();
    }

    private static int PortOf(WebApplication app) => new Uri(app.Urls.First()).Port;

    /// <summary>Time whose timers never fire: only signals and calls reload.</summary>
    private sealed class StoppedTime : TimeProvider
    {
        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
            base.CreateTimer(callback, state, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    private sealed class Proxy : IAsyncDisposable
    {
        /// <summary>Metadata of a route that this proxy cannot build, though the check, which knows nothing of it, can.</summary>
        public const string Unbuildable = "Unbuildable";

        public required WebApplication App { get; init; }

        public required string File { get; init; }

        public ConfigurationReloader Reloader => App.Services.GetRequiredService<ConfigurationReloader>();

        public static string Text(int port) => $$"""
            {
              "ReverseProxy": {
                "Routes": { "all": { "ClusterId": "agent", "Match": { "Path": "/{**path}" } } },
                "Clusters": { "agent": { "Destinations": { "a": { "Address": "http://127.0.0.1:{{port}}" } } } }
              }
            }
            """;

        public static async Task<Proxy> Start(int port, bool stopPolling = false)
        {
            var file = Path.Combine(Directory.CreateTempSubdirectory("gateway-live-").FullName, "appsettings.json");
            System.IO.File.WriteAllText(file, Text(port));
            var gateway = GatewayConfiguration.Load(new ConfigurationInputs { File = file }, new ValidationContext());
            Assert.True(gateway.ReportStart(Console.Error));

            var builder = WebApplication.CreateSlimBuilder();
            gateway.AddTo(builder.Configuration);
            gateway.AddTo(builder.Services);
            if (stopPolling)
            {
                builder.Services.AddSingleton<TimeProvider>(new StoppedTime());
            }

            builder.Services.AddReverseProxy().LoadFromConfig(builder.Configuration.GetSection("ReverseProxy")).AddTransforms(transforms =>
            {
                if (transforms.Route.Metadata?.ContainsKey(Unbuildable) == true)
                {
                    throw new NotSupportedException("A route of a test.");
                }
            });
            var app = Build(builder);
            app.MapReverseProxy();
            await app.StartAsync();
            return new Proxy { App = app, File = file };
        }

        public async ValueTask DisposeAsync()
        {
            await App.DisposeAsync();
            Directory.Delete(Path.GetDirectoryName(File)!, recursive: true);
        }
    }
}
