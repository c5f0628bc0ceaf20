namespace ProxyGateway.Configuration.Reload;

/// <summary>Log lines of a reload. Findings hide secrets themselves.</summary>
internal static partial class ReloadLog
{
    [LoggerMessage(1, LogLevel.Information, "configuration reloaded: {Changes} (version {Version})", EventName = "ConfigurationReloaded")]
    public static partial void Reloaded(ILogger logger, string changes, long version);

    [LoggerMessage(2, LogLevel.Error, "configuration rejected, kept version {Version}: {Errors}", EventName = "ConfigurationRejected")]
    public static partial void Rejected(ILogger logger, long version, string errors);

    [LoggerMessage(3, LogLevel.Information, "configuration unchanged (version {Version})", EventName = "ConfigurationUnchanged")]
    public static partial void Unchanged(ILogger logger, long version);

    [LoggerMessage(4, LogLevel.Warning, "configuration: {Warning}", EventName = "ConfigurationWarning")]
    public static partial void Finding(ILogger logger, string warning);

    [LoggerMessage(5, LogLevel.Error, "a reader of the configuration failed at version {Version}", EventName = "ConfigurationReaderFailed")]
    public static partial void ReaderFailed(ILogger logger, Exception exception, long version);
}
