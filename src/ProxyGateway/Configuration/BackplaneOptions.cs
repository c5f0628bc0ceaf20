namespace ProxyGateway.Configuration;

/// <summary>What replicas tell each other through a Redis server. Without one each goes by what it sees itself.</summary>
public sealed class BackplaneOptions
{
    /// <summary>
    /// The Redis server, as StackExchange.Redis writes it: <c>host:6379,user=…,password=…,ssl=true</c>. With a password in it, better
    /// in a secret file or the environment than here. Default: none.
    /// </summary>
    public string? ConnectionString { get; set; }

    /// <summary>A file that holds the connection string and nothing else, relative to the configuration file, in place of <c>ConnectionString</c>. Read again whenever the connection is made anew. Default: none.</summary>
    public string? ConnectionStringFile { get; set; }

    /// <summary>What the names of all keys begin with. Replicas with the same prefix share. Default: proxygateway:.</summary>
    public string KeyPrefix { get; set; } = "proxygateway:";

    /// <summary>The time between two rounds of telling and asking. What was heard is believed for three of them. Default: 00:00:01. Range: 00:00:00.1 to 00:00:30.</summary>
    public TimeSpan Interval { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>The longest a round may take, and the longest wait for a connection. No request ever waits for either. Default: 00:00:01. Range: 00:00:00.05 to 00:00:30.</summary>
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>Whether a circuit that opens here makes the other replicas probe that cluster first, and theirs this one. Default: true.</summary>
    public bool ShareCircuits { get; set; } = true;

    /// <summary>Whether <c>RequestsPerMinute</c> of a client holds over all replicas rather than for each. Default: true.</summary>
    public bool ShareClientLimits { get; set; } = true;
}
