namespace ProxyGateway.Management;

/// <summary>Whether this replica wants traffic: its configuration is loaded and it is not draining. Says nothing of upstreams. Thread-safe.</summary>
internal sealed class Readiness
{
    private volatile bool _isReady;

    public bool IsReady
    {
        get => _isReady;
        set => _isReady = value;
    }
}
