using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using ProxyGateway.StreamingFallback;
using Xunit;

namespace ProxyGateway.Tests;

/// <summary>What an application is told that puts the library together wrongly.</summary>
public sealed class StreamingFallbackExtensionsTests
{
    [Fact]
    public async Task PipelineWithoutItsServices_IsRefusedWithTheCallThatIsMissing()
    {
        await using var app = Build(proxy => { });
        var refusal = Assert.Throws<InvalidOperationException>(() => app.MapReverseProxy(proxy => proxy.UseStreamingFallback()));
        Assert.Contains("call AddReverseProxy().AddStreamingFallback() first", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task SecondUseInOnePipeline_IsRefused()
    {
        await using var app = Build(proxy => proxy.AddStreamingFallback());
        var refusal = Assert.Throws<InvalidOperationException>(() => app.MapReverseProxy(proxy => proxy.UseStreamingFallback().UseStreamingFallback()));
        Assert.Contains("called twice", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task TwoPipelines_HaveItEach()
    {
        await using var app = Build(proxy => proxy.AddStreamingFallback());
        app.MapReverseProxy(proxy => proxy.UseStreamingFallback());
        app.MapReverseProxy(proxy => proxy.UseStreamingFallback());
    }

    [Theory]
    [InlineData(true, 1)]
    [InlineData(false, 0)]
    public async Task ApplicationsOwnHttpClients_AreWarnedOfOnce(bool own, int warnings)
    {
        var log = new WarningCount();
        await using var app = Build(proxy =>
        {
            proxy.Services.AddLogging(logging => logging.ClearProviders().AddProvider(log));
            (own ? proxy.ConfigureHttpClient((_, _) => { }) : proxy).AddStreamingFallback();
        });
        app.MapReverseProxy(proxy => proxy.UseStreamingFallback());
        Assert.Equal(warnings, log.OtherHttpClients);
    }

    private sealed class WarningCount : ILoggerProvider, ILogger
    {
        public int OtherHttpClients { get; private set; }

        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull
            => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            OtherHttpClients += eventId.Name == "OtherHttpClients" && logLevel == LogLevel.Warning ? 1 : 0;

        public void Dispose()
        {
        }
    }

    private static WebApplication Build(Action<IReverseProxyBuilder> configure)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Services.AddDataProtection().UseEphemeralDataProtectionProvider();
        configure(builder.Services.AddReverseProxy().LoadFromMemory([], []));
        return builder.Build();
    }
}
