using System.Diagnostics;
using System.Globalization;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using ProxyGateway.TestKit.Chats;

namespace ProxyGateway.IntegrationTests.Hostile;

/// <summary>One stream over HTTP/1.1 and TLS on a connection of its own, by blocking calls: it shares no thread with anybody.</summary>
internal sealed class TlsClient : IDisposable
{
    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
    private readonly SslStream _tls;

    /// <summary>Connects and shakes hands.</summary>
    public TlsClient(Uri gateway, TimeSpan patience)
    {
        (_socket.ReceiveTimeout, _socket.SendTimeout) = ((int)patience.TotalMilliseconds, (int)patience.TotalMilliseconds);
        _socket.Connect(gateway.Host, gateway.Port);
        _tls = new SslStream(new NetworkStream(_socket, ownsSocket: true), false, (_, _, _, _) => true);
        _tls.AuthenticateAsClient(gateway.Host);
    }

    /// <summary>Asks for a stream of a model.</summary>
    public TlsClient Ask(string model)
    {
        var body = new Chat { Model = model }.Request();
        _tls.Write([.. Encoding.ASCII.GetBytes($"POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {body.Length}\r\n\r\n"), .. body]);
        return this;
    }

    public int Read(byte[] buffer) => _tls.Read(buffer);

    /// <summary>Reads what a <c>paced</c> stream sends until told to stop; how long each event was under way.</summary>
    public void ReadPaced(List<double> milliseconds, CancellationToken stop) => ReadPaced(_tls, milliseconds, stop);

    public static void ReadPaced(Stream stream, List<double> milliseconds, CancellationToken stop)
    {
        using var lines = new StreamReader(stream);
        while (!stop.IsCancellationRequested && lines.ReadLine() is { } line)
        {
            const string Text = "\"content\":\"";
            var at = line.IndexOf(Text, StringComparison.Ordinal) + Text.Length;
            if (at > Text.Length && long.TryParse(line.AsSpan(at, Math.Max(0, line.IndexOf('"', at) - at)), CultureInfo.InvariantCulture, out var sent))
            {
                milliseconds.Add(Stopwatch.GetElapsedTime(sent).TotalMilliseconds);
            }
        }
    }

    /// <summary>A certificate for the gateway under test; the path of its file.</summary>
    public static string WriteCertificate(string folder, string password)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var certificate = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256).CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        var file = Path.Combine(folder, "tls.pfx");
        File.WriteAllBytes(file, certificate.Export(X509ContentType.Pkcs12, password));
        return file;
    }

    public void Dispose()
    {
        try
        {
            _tls.Dispose();
        }
        catch (IOException)
        {
            // It says goodbye to somebody who has left.
        }
    }
}
