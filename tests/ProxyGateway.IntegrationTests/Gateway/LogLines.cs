using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace ProxyGateway.IntegrationTests.Gateway;

/// <summary>Everything the gateway logs, as the console would show it.</summary>
internal sealed class LogLines : ILoggerProvider
{
    private readonly ConcurrentQueue<string> _lines = new();

    public IReadOnlyList<string> All => [.. _lines];

    /// <summary>The line that each exchange leaves that did not simply succeed.</summary>
    public IReadOnlyList<string> Exchanges => [.. _lines.Where(l => l.Contains("exchange ", StringComparison.Ordinal))];

    public ILogger CreateLogger(string categoryName) => new Writer(categoryName, _lines);

    public void Dispose()
    {
    }

    private sealed class Writer(string category, ConcurrentQueue<string> lines) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel != LogLevel.None;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            lines.Enqueue($"{logLevel} {category} {formatter(state, exception)} {exception}");
    }
}
