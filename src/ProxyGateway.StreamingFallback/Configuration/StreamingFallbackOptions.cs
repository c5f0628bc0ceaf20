namespace ProxyGateway.StreamingFallback.Configuration;

/// <summary>The <c>StreamingFallback</c> section: limits and switches for every guarded route.</summary>
public sealed class StreamingFallbackOptions
{
    /// <summary>
    /// Whether failed attempts are recovered at all. When off, the guard still watches and every failure is
    /// reported loudly, but no second upstream call is made. The environment variables
    /// <c>AGENT_FALLBACK_ENABLED</c> and <c>FALLBACK_ENABLED</c> (<c>true</c>/<c>false</c>/<c>1</c>/<c>0</c>) override it. Default: true.
    /// </summary>
    public bool Enabled { get; set; } = true;

    /// <summary>Upstream calls of one exchange, the first included. Default: 3. Range: 1 to 10.</summary>
    public int MaxAttempts { get; set; } = 3;

    /// <summary>How many exchanges may be in flight on all guarded routes together.</summary>
    public ConcurrencyOptions Concurrency { get; set; } = new();

    /// <summary>
    /// At the latest after this time the answer's headers and a heartbeat go to a streaming client, because clients
    /// give up on silent headers (100 s and 300 s are common). Default: 00:01:00. Range: 00:00:00.1 to 00:10:00.
    /// </summary>
    public TimeSpan CommitAfter { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>From the first fault to the end of all recovery. Default: 00:01:00. Range: 00:00:00.01 to 01:00:00.</summary>
    public TimeSpan RecoveryTimeout { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>How often a committed client that waits for a recovery gets a heartbeat. Default: 00:00:10. Range: 00:00:00.05 to 00:01:30.</summary>
    public TimeSpan HeartbeatInterval { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Largest request body on a guarded route, in bytes; beyond it 413. Default: 10485760. Range: 1024 to 1073741824.</summary>
    public int MaxRequestBytes { get; set; } = 10 * 1024 * 1024;

    /// <summary>Largest event, and most bytes held back at once, in bytes. Default: 1048576. Range: 1024 to 67108864.</summary>
    public int MaxEventBytes { get; set; } = 1024 * 1024;

    /// <summary>
    /// Most delivered text kept per exchange, in bytes of UTF-8. A longer stream goes on but can no longer be spliced.
    /// Default: 1048576. Range: 0 to 67108864.
    /// </summary>
    public int MaxDeliveredBytes { get; set; } = 1024 * 1024;

    /// <summary>Largest non-streaming answer that is read into memory for a recovery, in bytes. Default: 16777216. Range: 1024 to 268435456.</summary>
    public int MaxAnswerBytes { get; set; } = 16 * 1024 * 1024;

    /// <summary>
    /// Most memory that request bodies of all exchanges in flight may take together, in bytes, and as much again for
    /// delivered text. A request that finds no room is answered 503; a stream that finds none keeps less text, and is not
    /// spliced once it is longer. Never more than an eighth of what the process may use; 0 is no limit. Default: 1073741824. Range: 0 to 1099511627776.
    /// </summary>
    public long MaxReplayMemoryBytes { get; set; } = 1024 * 1024 * 1024;

    /// <summary>
    /// Status of the answer when every upstream failed before anything was sent. With the default, timeouts are
    /// answered 504; any other value is used for timeouts too. Default: 502. Range: 500 to 599.
    /// </summary>
    public int ErrorStatus { get; set; } = 502;

    /// <summary>Whether guarded routes answer with <c>x-gateway-cluster</c>, <c>x-gateway-attempts</c> and <c>x-gateway-recovery</c>. Default: true.</summary>
    public bool ExposeServedBy { get; set; } = true;

    /// <summary>
    /// Model names, or patterns (<c>*</c> and <c>?</c>), that metrics and traces may tell apart. The label is the entry that
    /// matches, <c>other</c> where none does; each entry multiplies the series of the metrics <c>gen_ai.*</c>. Default: none, and then there is no such label.
    /// </summary>
    public List<string> ModelLabels { get; set; } = [];
}
