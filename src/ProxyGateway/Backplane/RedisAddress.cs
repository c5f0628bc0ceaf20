using StackExchange.Redis;

namespace ProxyGateway.Backplane;

/// <summary>What a connection string says.</summary>
internal static class RedisAddress
{
    public static bool IsUsable(string text)
    {
        try
        {
            // An option in the place of a host is parsed as one; its name would be looked up. A tunnel would go by the limit on what a server may send.
            var options = ConfigurationOptions.Parse(text);
            return options.EndPoints.Count > 0 && options.EndPoints.All(h => !(h.ToString() ?? "").Contains('=')) && options.Tunnel is null;
        }
        catch (Exception e) when (e is ArgumentException or FormatException or OverflowException)
        {
            return false;
        }
    }

    /// <summary>
    /// The operator's address and keys with the gateway's own manners: fail at once instead of queueing, one connection, nothing of the
    /// command or the server in error texts.
    /// </summary>
    public static ConfigurationOptions Read(string text, TimeSpan timeout)
    {
        var options = ConfigurationOptions.Parse(text, ignoreUnknown: true);
        var milliseconds = (int)timeout.TotalMilliseconds;
        options.ClientName ??= "proxygateway";
        options.AbortOnConnectFail = true;
        options.ConnectRetry = 1;
        options.ConnectTimeout = milliseconds;
        options.AsyncTimeout = milliseconds;
        options.SyncTimeout = milliseconds;
        options.BacklogPolicy = BacklogPolicy.FailFast;
        options.IncludeDetailInExceptions = false;
        options.IncludePerformanceCountersInExceptions = false;
        options.AllowAdmin = false;
        options.TieBreaker = "";
        options.ConfigurationChannel = "";
        // Nothing is subscribed to, and a second connection is kept for that where it could be. Sentinels are asked that way.
        options.CommandMap = !string.IsNullOrEmpty(options.ServiceName) ? options.CommandMap : CommandMap.Create(["SUBSCRIBE", "PSUBSCRIBE", "SSUBSCRIBE", "UNSUBSCRIBE", "PUNSUBSCRIBE", "SUNSUBSCRIBE"], available: false);
        return options;
    }
}
