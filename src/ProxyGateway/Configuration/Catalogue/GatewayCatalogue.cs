namespace ProxyGateway.Configuration.Catalogue;

/// <summary>The <c>Gateway</c> section; the class is <see cref="GatewayOptions"/>.</summary>
internal static class GatewayCatalogue
{
    public static OptionNode Section { get; } = Option.Block(
        "Gateway",
        "What belongs to the process rather than to a route or a cluster.",
        Option.Text("Listen", "The proxy's own address, HTTP/1.1, and HTTP/2 where it is https. A change needs a restart.", "http://127.0.0.1:8080") with { NeedsRestart = true },
        Option.Text("ListenHttp2", "A further address of the proxy for HTTP/2 without TLS (h2c, prior knowledge). A change needs a restart.") with { NeedsRestart = true, DefaultText = "none" },
        Option.Text("ManagementListen", "Address of metrics, health, status page and management API. A change needs a restart.", "http://127.0.0.1:8081") with { NeedsRestart = true },
        Option.Text("ManagementKey", "The key of the status page's data and the management API (`Authorization: Bearer`); better a secret file than a line here. Where `ManagementListen` is not on loopback, both are refused without one. A change needs a restart.") with { NeedsRestart = true, DefaultText = "none" },
        Option.Flag("InlineScheduling", "Work on a stream goes on where its bytes arrive, on the socket's own thread, instead of in the thread pool: less CPU per event. In return one long piece of work delays all streams of that thread, and code that blocks there can stop them for good. A change needs a restart.", false) with { NeedsRestart = true },
        Option.Count("MaxConnections", "Connections of clients that may be open at a time, at each address of the proxy; further ones are closed at once. 0: what the process's limit on open files has room for at two for each client, its own and the one to its upstream; upstreams over HTTP/2 share theirs, and leave room for more. A change needs a restart.", 0, 0, 10_000_000) with { NeedsRestart = true },
        Option.Text("SecretsDirectory", "Directory of secrets, one file per setting, `__` in the file name for a level.") with { DefaultText = "/run/secrets where it exists" },
        Option.Choice<LogFormat>("LogFormat", "How log lines are written. A change needs a restart.", LogFormat.Text) with { NeedsRestart = true },
        Option.Block(
            "Certificate",
            "The certificate of https addresses.",
            Option.Text("Path", "A PFX or PEM file, relative to the configuration file. A change needs a restart.") with { NeedsRestart = true, DefaultText = "none" },
            Option.Text("KeyPath", "The private key's PEM file, where `Path` is a PEM file without it. A change needs a restart.") with { NeedsRestart = true, DefaultText = "none" },
            Option.Text("Password", "The password of the PFX or of the key; better a secret file than a line here. A change needs a restart.") with { NeedsRestart = true, DefaultText = "none" }),
        Option.Block(
            "Drain",
            "What happens between SIGTERM and the end of the process.",
            Option.Time("Delay", "How long readiness says 503 before the listeners close, so that balancers look away. A change needs a restart.", "00:00:02", "00:00:00", "00:05:00") with { NeedsRestart = true },
            Option.Time("Timeout", "How long streams in flight may go on after that. A change needs a restart.", "00:01:00", "00:00:00", "1.00:00:00") with { NeedsRestart = true }),
        Option.Block(
            "Backplane",
            "What replicas tell each other through a Redis server ([what is shared](scaling.md#the-backplane)). Without one each goes by what it sees itself.",
            Option.Text("ConnectionString", "The Redis server, as StackExchange.Redis writes it: `host:6379,user=…,password=…,ssl=true`. With a password in it, better in a secret file or the environment than here.") with { DefaultText = "none" },
            Option.Text("ConnectionStringFile", "A file that holds the connection string and nothing else, relative to the configuration file, in place of `ConnectionString`. Read again whenever the connection is made anew.") with { DefaultText = "none" },
            Option.Text("KeyPrefix", "What the names of all keys begin with. Replicas with the same prefix share.", "proxygateway:"),
            Option.Time("Interval", "The time between two rounds of telling and asking. What was heard is believed for three of them.", "00:00:01", "00:00:00.1", "00:00:30"),
            Option.Time("Timeout", "The longest a round may take, and the longest wait for a connection. No request ever waits for either.", "00:00:01", "00:00:00.05", "00:00:30"),
            Option.Flag("ShareCircuits", "Whether a circuit that opens here makes the other replicas probe that cluster first, and theirs this one.", true),
            Option.Flag("ShareClientLimits", "Whether `RequestsPerMinute` of a client holds over all replicas rather than for each.", true)));
}
