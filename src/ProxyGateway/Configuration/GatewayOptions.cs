namespace ProxyGateway.Configuration;

/// <summary>The <c>Gateway</c> section: what belongs to the process rather than to a route or a cluster.</summary>
public sealed class GatewayOptions
{
    /// <summary>The proxy's own address, HTTP/1.1, and HTTP/2 where it is https. A change needs a restart. Default: http://127.0.0.1:8080.</summary>
    public string Listen { get; set; } = "http://127.0.0.1:8080";

    /// <summary>A further address of the proxy for HTTP/2 without TLS (h2c, prior knowledge). A change needs a restart. Default: none.</summary>
    public string? ListenHttp2 { get; set; }

    /// <summary>Address of metrics, health, status page and management API. A change needs a restart. Default: http://127.0.0.1:8081.</summary>
    public string ManagementListen { get; set; } = "http://127.0.0.1:8081";

    /// <summary>
    /// The key of the status page's data and the management API (<c>Authorization: Bearer</c>); better a secret file than a line here.
    /// Where <c>ManagementListen</c> is not on loopback, both are refused without one. A change needs a restart. Default: none.
    /// </summary>
    public string? ManagementKey { get; set; }

    /// <summary>
    /// Work on a stream goes on where its bytes arrive, on the socket's own thread, instead of in the thread pool: less CPU per event.
    /// In return one long piece of work (a large replay, a TLS handshake) delays all streams of that thread, and code that blocks there
    /// can stop them for good. A change needs a restart. Default: false.
    /// </summary>
    public bool InlineScheduling { get; set; }

    /// <summary>
    /// Connections of clients that may be open at a time, at each address of the proxy; further ones are closed at once. 0: what the process's limit on
    /// open files has room for at two for each client, its own and the one to its upstream; upstreams over HTTP/2 share theirs, and leave
    /// room for more. Range: 0 to 10,000,000. A change needs a restart. Default: 0.
    /// </summary>
    public int MaxConnections { get; set; }

    /// <summary>Directory of secrets, one file per setting, <c>__</c> in the file name for a level. Default: /run/secrets where it exists.</summary>
    public string? SecretsDirectory { get; set; }

    /// <summary>How log lines are written. A change needs a restart. Default: Text.</summary>
    public LogFormat LogFormat { get; set; } = LogFormat.Text;

    /// <summary>The certificate of https addresses.</summary>
    public CertificateOptions Certificate { get; set; } = new();

    /// <summary>What happens between SIGTERM and the end of the process.</summary>
    public DrainOptions Drain { get; set; } = new();

    /// <summary>What replicas tell each other.</summary>
    public BackplaneOptions Backplane { get; set; } = new();
}

/// <summary>How log lines are written.</summary>
public enum LogFormat
{
    /// <summary>One line of text each.</summary>
    Text,

    /// <summary>One JSON object each.</summary>
    Json,
}

/// <summary>The certificate of https addresses.</summary>
public sealed class CertificateOptions
{
    /// <summary>A PFX or PEM file, relative to the configuration file. A change needs a restart. Default: none.</summary>
    public string? Path { get; set; }

    /// <summary>The private key's PEM file, where <c>Path</c> is a PEM file without it. A change needs a restart. Default: none.</summary>
    public string? KeyPath { get; set; }

    /// <summary>The password of the PFX or of the key; better a secret file than a line here. A change needs a restart. Default: none.</summary>
    public string? Password { get; set; }
}

/// <summary>What happens between SIGTERM and the end of the process.</summary>
public sealed class DrainOptions
{
    /// <summary>How long readiness says 503 before the listeners close, so that balancers look away. A change needs a restart. Default: 00:00:02. Range: 00:00:00 to 00:05:00.</summary>
    public TimeSpan Delay { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>How long streams in flight may go on after that. A change needs a restart. Default: 00:01:00. Range: 00:00:00 to 1.00:00:00.</summary>
    public TimeSpan Timeout { get; set; } = TimeSpan.FromMinutes(1);
}
