namespace ProxyGateway.Hosting;

/// <summary>
/// Says so where a task failed and nobody looked: a fault of the gateway's own that would else be seen by nobody. The runtime finds
/// such a task when it is collected, which may be long after.
/// </summary>
internal sealed partial class UnobservedExceptions(ILogger<UnobservedExceptions> logger) : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken)
    {
        TaskScheduler.UnobservedTaskException += OnUnobserved;
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken)
    {
        TaskScheduler.UnobservedTaskException -= OnUnobserved;
        return Task.CompletedTask;
    }

    /// <summary>Messages of exceptions may quote what is nobody's business; types and places do not.</summary>
    private void OnUnobserved(object? sender, UnobservedTaskExceptionEventArgs e)
    {
        foreach (var exception in e.Exception.Flatten().InnerExceptions)
        {
            Unobserved(logger, exception.GetType().FullName, exception.StackTrace?.ReplaceLineEndings(" ").Trim());
        }
    }

    [LoggerMessage(EventId = 1, EventName = "UnobservedException", Level = LogLevel.Error, Message = "a task failed and nobody looked: {Type} {Place}")]
    private static partial void Unobserved(ILogger logger, string? type, string? place);
}
