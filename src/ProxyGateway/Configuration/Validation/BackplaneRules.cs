using ProxyGateway.Backplane;
using ProxyGateway.Configuration.Parsing;

namespace ProxyGateway.Configuration.Validation;

/// <summary>The <c>Gateway:Backplane</c> block. Says nothing of what stands in a connection string.</summary>
internal static class BackplaneRules
{
    private const int LongestPrefix = 64;

    public static void Check(SettingNode root, ValidationContext context, DiagnosticBag diagnostics)
    {
        if (root.Find("Gateway", "Backplane") is not { } block)
        {
            return;
        }

        var connection = block["ConnectionString"];
        var file = block["ConnectionStringFile"];
        if (connection is { IsScalar: true, Value.Length: > 0 } && file is { IsScalar: true, Value.Length: > 0 })
        {
            diagnostics.KeyError(file, "excludes ConnectionString", "name one of the two");
        }
        else if (connection is { IsScalar: true, Value.Length: > 0 } && !RedisAddress.IsUsable(connection.Value))
        {
            diagnostics.Error(connection, "not a connection string of StackExchange.Redis", "write \"host:6379\", and behind it, with commas, user=…, password=…, ssl=true");
        }
        else if (file is { IsScalar: true, Value.Length: > 0 } && !context.FileExists(file.Value))
        {
            diagnostics.Error(file, "no such file", "name an existing file, relative to the configuration file");
        }

        if (block["KeyPrefix"] is { IsScalar: true } prefix && (prefix.Value!.Length > LongestPrefix || prefix.Value.AsSpan().IndexOfAnyExceptInRange('!', '~') >= 0))
        {
            diagnostics.Error(prefix, "cannot begin the name of a key", $"use at most {LongestPrefix} characters without spaces, as \"proxygateway:\"");
        }
    }
}
