using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using ProxyGateway.Configuration;
using ProxyGateway.Configuration.Validation;
using ProxyGateway.Hosting;
using Xunit;

namespace ProxyGateway.Tests.Configuration;

/// <summary>What is read of the server's certificate, and what a check says of one that cannot be used.</summary>
public sealed class CertificateTests : IDisposable
{
    private const string Password = "open sesame";

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("certificates-");

    public CertificateTests()
    {
        using var issuer = SelfSigned("CN=issuer", isIssuer: true);
        using var key = RSA.Create(2048);
        var request = new CertificateRequest("CN=server", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        using var signed = request.Create(issuer, DateTimeOffset.UtcNow.AddMinutes(-5), DateTimeOffset.UtcNow.AddHours(1), [1, 2, 3]);
        using var own = signed.CopyWithPrivateKey(key);
        File.WriteAllText(In("full.pem"), signed.ExportCertificatePem() + "\n" + issuer.ExportCertificatePem());
        File.WriteAllText(In("server.key"), key.ExportPkcs8PrivateKeyPem());
        File.WriteAllBytes(In("full.pfx"), new X509Certificate2Collection { own, X509CertificateLoader.LoadCertificate(issuer.Export(X509ContentType.Cert)) }.Export(X509ContentType.Pfx, Password)!);
        using var other = RSA.Create(2048);
        File.WriteAllText(In("other.key"), other.ExportPkcs8PrivateKeyPem());
    }

    public void Dispose() => _folder.Delete(recursive: true);

    [Theory]
    [InlineData("full.pem", "server.key", null)]
    [InlineData("full.pfx", null, Password)]
    public void WholeChain_IsRead(string path, string? key, string? password)
    {
        var (own, chain) = ListenerBinding.Load(new CertificateOptions { Path = In(path), KeyPath = key is null ? null : In(key), Password = password });

        Assert.Equal(("CN=server", true), (own.Subject, own.HasPrivateKey));
        Assert.Contains(chain, c => c.Subject == "CN=issuer");
        Assert.Null(Failure(path, key, password));
    }

    [Theory]
    [InlineData("full.pem", "other.key", null)]
    [InlineData("full.pem", null, null)]
    [InlineData("server.key", "server.key", null)]
    [InlineData("full.pfx", null, "wrong")]
    [InlineData("full.pfx", null, null)]
    public void WhatCannotBeUsed_IsSaid_WithoutThePassword(string path, string? key, string? password)
    {
        var failure = Failure(path, key, password);

        Assert.False(string.IsNullOrEmpty(failure));
        Assert.DoesNotContain("wrong", failure, StringComparison.Ordinal);
    }

    private string? Failure(string path, string? key, string? password) =>
        ValidationContext.OfThisMachine(In("appsettings.json")).CertificateFailure(new CertificateOptions { Path = path, KeyPath = key, Password = password });

    private string In(string file) => Path.Combine(_folder.FullName, file);

    private static X509Certificate2 SelfSigned(string subject, bool isIssuer)
    {
        using var key = RSA.Create(2048);
        var request = new CertificateRequest(subject, key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(isIssuer, false, 0, true));
        return request.CreateSelfSigned(DateTimeOffset.UtcNow.AddHours(-1), DateTimeOffset.UtcNow.AddHours(2));
    }
}
