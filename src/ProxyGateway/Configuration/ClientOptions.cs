namespace ProxyGateway.Configuration;

/// <summary>One entry of the <c>Clients</c> section: who may use the proxy, for what, and how much. With no entry everybody may.</summary>
public sealed class ClientOptions
{
    /// <summary>SHA-256 of the client's key in hexadecimal (<c>printf %s KEY | sha256sum</c>). The key itself is never written down. Required.</summary>
    public string KeyHash { get; set; } = "";

    /// <summary>Ids of the routes this client may use. Default: all.</summary>
    public List<string> Routes { get; set; } = [];

    /// <summary>Requests per minute, 0 for no limit. Default: 0. Range: 0 to 1000000.</summary>
    public int RequestsPerMinute { get; set; }

    /// <summary>Requests in flight at a time, 0 for no limit. Default: 0. Range: 0 to 100000.</summary>
    public int MaxConcurrentRequests { get; set; }
}
