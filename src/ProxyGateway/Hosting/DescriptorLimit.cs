using System.Globalization;

namespace ProxyGateway.Hosting;

/// <summary>
/// How many clients the process's limit on open files has room for. Without descriptors a process can neither accept nor call an
/// upstream, read its configuration or answer a health check; so connections are refused before it comes to that.
/// </summary>
internal static class DescriptorLimit
{
    /// <summary>For assemblies, listeners, the management port and what else is open at any time.</summary>
    private const int Reserve = 320;

    /// <summary>A client's own and the one to its upstream.</summary>
    private const int PerClient = 2;

    /// <summary>However low the limit, somebody is let in.</summary>
    private const int Least = 16;

    private const string Limits = "/proc/self/limits";

    /// <summary>Null where there is no limit, or none that is known.</summary>
    public static long? Clients => File.Exists(Limits) ? ClientsOf(File.ReadLines(Limits)) : null;

    internal static long? ClientsOf(IEnumerable<string> limits)
    {
        const string name = "Max open files";
        var line = limits.FirstOrDefault(l => l.StartsWith(name, StringComparison.Ordinal));
        var soft = line?[name.Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries).FirstOrDefault();
        return long.TryParse(soft, NumberStyles.None, CultureInfo.InvariantCulture, out var files) ? Math.Max(Least, (files - Reserve) / PerClient) : null;
    }
}
