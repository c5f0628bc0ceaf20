using System.Net;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace ProxyGateway.IntegrationTests.Network;

/// <summary>A certificate authority of a test's own.</summary>
internal sealed class Authority : IDisposable
{
    private static readonly DateTimeOffset Now = DateTimeOffset.UtcNow;
    private readonly X509Certificate2 _root;

    public Authority()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=Test authority", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, true));
        _root = request.CreateSelfSigned(Now.AddDays(-10), Now.AddDays(10));
        File.WriteAllText(Path, _root.ExportCertificatePem());
    }

    /// <summary>The root's PEM file, as OpenSSL wants it in <c>SSL_CERT_FILE</c>.</summary>
    public string Path { get; } = System.IO.Path.Combine(System.IO.Path.GetTempPath(), $"authority-{Guid.NewGuid():N}.pem");

    /// <summary>What a server presents: a certificate for an address, with a new key each time.</summary>
    public Func<SslServerAuthenticationOptions> Server(IPAddress address, bool expired = false)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=Test agent", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(address);
        request.CertificateExtensions.Add(names.Build());
        using var certificate = request.Create(_root, Now.AddDays(-9), expired ? Now.AddDays(-1) : Now.AddDays(9), RandomNumberGenerator.GetBytes(16));
        var owned = certificate.CopyWithPrivateKey(key);
        return () => new SslServerAuthenticationOptions { ServerCertificate = owned };
    }

    public void Dispose()
    {
        _root.Dispose();
        File.Delete(Path);
    }
}
