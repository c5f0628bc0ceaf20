using ProxyGateway.Configuration;

namespace ProxyGateway.Backplane;

/// <summary>The backplane of one configuration. A class without a text of its own: nothing that prints it shows the password.</summary>
internal sealed class BackplaneSettings(BackplaneOptions options)
{
    private const int LargestFile = 16 * 1024;

    public string KeyPrefix => options.KeyPrefix;

    public TimeSpan Interval => options.Interval;

    public TimeSpan Timeout => options.Timeout;

    public bool ShareCircuits => options.ShareCircuits;

    public bool ShareClientLimits => options.ShareClientLimits;

    /// <summary>How long what was heard is believed; what is said lives as long.</summary>
    public TimeSpan Lease => Interval * 3;

    /// <summary>Null where no server is named.</summary>
    public static BackplaneSettings? From(BackplaneOptions options) =>
        string.IsNullOrEmpty(options.ConnectionString) && string.IsNullOrEmpty(options.ConnectionStringFile) ? null : new BackplaneSettings(options);

    /// <exception cref="IOException">The file cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">Nor may it be.</exception>
    public string ConnectionString()
    {
        if (string.IsNullOrEmpty(options.ConnectionStringFile))
        {
            return options.ConnectionString!;
        }

        using var file = new StreamReader(options.ConnectionStringFile);
        var text = new char[LargestFile];
        return new string(text, 0, file.ReadBlock(text)).Trim();
    }

    public bool Matches(BackplaneSettings? other) => other is not null && Values == other.Values;

    private (string?, string?, string, TimeSpan, TimeSpan, bool, bool) Values =>
        (options.ConnectionString, options.ConnectionStringFile, KeyPrefix, Interval, Timeout, ShareCircuits, ShareClientLimits);
}
