using Microsoft.Extensions.Logging;
using ProxyGateway.Configuration;
using ProxyGateway.Management.Security;
using Xunit;

namespace ProxyGateway.Tests.Management;

public sealed class OpenManagementWarningTests
{
    [Theory]
    [InlineData("http://127.0.0.1:8081", null, false)]
    [InlineData("http://localhost:8081", null, false)]
    [InlineData("http://0.0.0.0:8081", "a key", false)]
    [InlineData("http://0.0.0.0:8081", null, true)]
    [InlineData("http://[::]:8081", "", true)]
    [InlineData("http://*:8081", null, true)]
    public async Task Start_WarnsOfAPortThatOthersReachWithoutAKey(string listen, string? key, bool warns)
    {
        var options = new GatewayOptions { ManagementListen = listen, ManagementKey = key };
        var log = new Lines();

        await new OpenManagementWarning(options, new ManagementAccess(options), log).StartAsync(TestContext.Current.CancellationToken);

        Assert.Equal(warns ? [LogLevel.Warning] : [], log.Levels);
    }

    private sealed class Lines : ILogger<OpenManagementWarning>
    {
        public List<LogLevel> Levels { get; } = [];

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) => Levels.Add(logLevel);
    }
}
