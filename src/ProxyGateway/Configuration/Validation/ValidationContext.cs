using System.Net;
using System.Net.NetworkInformation;
using System.Security.Cryptography;
using ProxyGateway.Hosting;
using ProxyGateway.StreamingFallback.ChatFormats;

namespace ProxyGateway.Configuration.Validation;

/// <summary>What validation has to know of the machine and of the composition; everything else is in the settings.</summary>
internal sealed record ValidationContext
{
    /// <summary>Names and addresses of this machine besides loopback.</summary>
    public IReadOnlySet<string> OwnHosts { get; init; } = new HashSet<string>();

    /// <summary>Whether a file named in the configuration exists.</summary>
    public Func<string, bool> FileExists { get; init; } = static _ => true;

    /// <summary>Why a certificate whose files exist cannot be used; null where it can.</summary>
    public Func<CertificateOptions, string?> CertificateFailure { get; init; } = static _ => null;

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
            CertificateFailure = c => FailureOf(c, directory),
            ServedFormats = ChatFormatRegistry.Served,
        };
    }

    private static string? FailureOf(CertificateOptions certificate, string directory)
    {
        try
        {
            var (own, chain) = ListenerBinding.Load(new CertificateOptions
            {
                Path = Path.Combine(directory, certificate.Path!),
                KeyPath = string.IsNullOrEmpty(certificate.KeyPath) ? null : Path.Combine(directory, certificate.KeyPath),
                Password = certificate.Password,
            });
            own.Dispose();
            foreach (var issuer in chain)
            {
                issuer.Dispose();
            }

            return null;
        }
        catch (Exception exception) when (exception is CryptographicException or IOException or UnauthorizedAccessException or ArgumentException)
        {
            return YarpRules.Clean(exception.Message);
        }
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
