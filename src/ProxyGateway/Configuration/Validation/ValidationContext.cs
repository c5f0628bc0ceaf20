using System.Net;
using System.Net.NetworkInformation;
using Microsoft.Extensions.DependencyInjection;
using ProxyGateway.StreamingFallback.ChatFormats;

namespace ProxyGateway.Configuration.Validation;

/// <summary>What validation has to know of the machine and of the composition; everything else is in the settings.</summary>
internal sealed record ValidationContext
{
    /// <summary>Names and addresses of this machine besides loopback.</summary>
    public IReadOnlySet<string> OwnHosts { get; init; } = new HashSet<string>();

    /// <summary>Whether a file named in the configuration exists.</summary>
    public Func<string, bool> FileExists { get; init; } = static _ => true;

    /// <summary>The formats this build can guard; null leaves the question open.</summary>
    public IReadOnlyCollection<string>? ServedFormats { get; init; }

    /// <summary>Adds to YARP what the host adds to it (transform factories, policies), so that YARP's validators know them.</summary>
    public Action<IReverseProxyBuilder>? ConfigureYarp { get; init; }

    public static ValidationContext OfThisMachine(string configurationFile)
    {
        var directory = Path.GetDirectoryName(Path.GetFullPath(configurationFile))!;
        return new ValidationContext
        {
            OwnHosts = FindOwnHosts(),
            FileExists = f => File.Exists(Path.Combine(directory, f)),
            ServedFormats = ChatFormatRegistry.Served,
        };
    }

    private static HashSet<string> FindOwnHosts()
    {
        var hosts = new HashSet<string>(StringComparer.OrdinalIgnoreCase) { Environment.MachineName };
        try
        {
            hosts.Add(Dns.GetHostName());
            foreach (var each in NetworkInterface.GetAllNetworkInterfaces())
            {
                foreach (var address in each.GetIPProperties().UnicastAddresses)
                {
                    var text = address.Address.ToString();
                    hosts.Add(text.Contains(':', StringComparison.Ordinal) ? $"[{text}]" : text);
                }
            }
        }
        catch (Exception exception) when (exception is NetworkInformationException or System.Net.Sockets.SocketException or PlatformNotSupportedException)
        {
            // A sandbox that hides its interfaces: the rule then knows loopback and the machine's name only.
        }

        return hosts;
    }
}
