using ProxyGateway.StreamingFallback.ClientStream;

namespace ProxyGateway.Hosting;

/// <summary>
/// The server logs an exception that ends a stream on purpose as an application error. It is none, and has its own line already.
/// And what quotes requests and answers in its lines (whole URLs with the keys in their queries, header lines that cannot be read)
/// is not heard at any level.
/// </summary>
internal sealed class QuietLoggerFactory(ILoggerFactory inner) : ILoggerFactory
{
    private static readonly string[] Quoting =
    [
        "Microsoft.AspNetCore.Hosting.Diagnostics", "Microsoft.AspNetCore.Server.Kestrel.BadRequests", "Yarp.ReverseProxy.Forwarder.HttpForwarder",
    ];

    public ILogger CreateLogger(string categoryName)
    {
        var logger = inner.CreateLogger(categoryName);
        return Quoting.Contains(categoryName, StringComparer.Ordinal) ? new ErrorsOnly(logger) : categoryName.StartsWith("Microsoft.AspNetCore.", StringComparison.Ordinal) ? new QuietLogger(logger) : logger;
    }

    public void AddProvider(ILoggerProvider provider) => inner.AddProvider(provider);

    public void Dispose() => inner.Dispose();

    private sealed class ErrorsOnly(ILogger logger) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Error && logger.IsEnabled(logLevel);

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(logLevel) && exception is not StreamTerminatedException)
            {
                logger.Log(logLevel, eventId, state, exception, formatter);
            }
        }
    }

    private sealed class QuietLogger(ILogger logger) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => logger.BeginScope(state);

        public bool IsEnabled(LogLevel logLevel) => logger.IsEnabled(logLevel);

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (exception is not StreamTerminatedException)
            {
                logger.Log(logLevel, eventId, state, exception, formatter);
            }
        }
    }
}
