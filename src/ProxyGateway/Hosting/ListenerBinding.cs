using System.Net;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using ProxyGateway.Configuration;

namespace ProxyGateway.Hosting;

/// <summary>Binds a listener to an address from the configuration.</summary>
internal static class ListenerBinding
{
    public static void Bind(KestrelServerOptions kestrel, string url, HttpProtocols protocols, CertificateOptions certificate)
    {
        var address = BindingAddress.Parse(url);
        var isHttps = address.Scheme.Equals("https", StringComparison.OrdinalIgnoreCase);
        var loaded = isHttps ? Load(certificate) : null;
        void Configure(ListenOptions listen)
        {
            // HTTP/1.1 and HTTP/2 on one port need the negotiation that comes with TLS.
            listen.Protocols = isHttps || protocols == HttpProtocols.Http2 ? protocols : HttpProtocols.Http1;
            if (loaded is not null)
            {
                listen.UseHttps(loaded);
            }
        }

        if (address.IsUnixPipe)
        {
            kestrel.ListenUnixSocket(address.UnixPipePath, Configure);
        }
        else if (IPAddress.TryParse(address.Host.Trim('[', ']'), out var ip))
        {
            kestrel.Listen(ip, address.Port, Configure);
        }
        else if (address.Host.Equals("localhost", StringComparison.OrdinalIgnoreCase))
        {
            kestrel.Listen(IPAddress.Loopback, address.Port, Configure);
        }
        else
        {
            kestrel.ListenAnyIP(address.Port, Configure);
        }
    }

    private static X509Certificate2 Load(CertificateOptions certificate)
    {
        if (string.IsNullOrEmpty(certificate.Path))
        {
            throw new InvalidOperationException("Gateway:Certificate:Path: an https address needs a certificate.");
        }

        if (certificate.Path.EndsWith(".pfx", StringComparison.OrdinalIgnoreCase) || certificate.Path.EndsWith(".p12", StringComparison.OrdinalIgnoreCase))
        {
            return X509CertificateLoader.LoadPkcs12FromFile(certificate.Path, certificate.Password);
        }

        return string.IsNullOrEmpty(certificate.Password)
            ? X509Certificate2.CreateFromPemFile(certificate.Path, certificate.KeyPath)
            : X509Certificate2.CreateFromEncryptedPemFile(certificate.Path, certificate.Password, certificate.KeyPath);
    }
}
