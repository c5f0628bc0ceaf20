using System.Net;
using System.Security.Cryptography;
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
        var loaded = !isHttps ? default
            : string.IsNullOrEmpty(certificate.Path) ? throw new InvalidOperationException("Gateway:Certificate:Path: an https address needs a certificate.")
            : Load(certificate);
        void Configure(ListenOptions listen)
        {
            // HTTP/1.1 and HTTP/2 on one port need the negotiation that comes with TLS.
            listen.Protocols = isHttps || protocols == HttpProtocols.Http2 ? protocols : HttpProtocols.Http1;
            if (isHttps)
            {
                listen.UseHttps(https => (https.ServerCertificate, https.ServerCertificateChain) = loaded);
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

    /// <summary>
    /// The certificate and what leads from it to a root, which clients need that know the root alone. Throws
    /// <see cref="CryptographicException"/>, <see cref="IOException"/> or <see cref="UnauthorizedAccessException"/> where it cannot be read.
    /// </summary>
    internal static (X509Certificate2 Own, X509Certificate2Collection Chain) Load(CertificateOptions certificate)
    {
        var chain = new X509Certificate2Collection();
        if (certificate.Path!.EndsWith(".pfx", StringComparison.OrdinalIgnoreCase) || certificate.Path.EndsWith(".p12", StringComparison.OrdinalIgnoreCase))
        {
            chain.AddRange(X509CertificateLoader.LoadPkcs12CollectionFromFile(certificate.Path, certificate.Password));
            var own = chain.FirstOrDefault(c => c.HasPrivateKey) ?? throw new CryptographicException("The file has no private key.");
            chain.Remove(own);
            return (own, chain);
        }

        var pem = string.IsNullOrEmpty(certificate.Password)
            ? X509Certificate2.CreateFromPemFile(certificate.Path, certificate.KeyPath)
            : X509Certificate2.CreateFromEncryptedPemFile(certificate.Path, certificate.Password, certificate.KeyPath);
        chain.ImportFromPemFile(certificate.Path);
        return (pem, chain);
    }
}
