using System.Net;
using System.Net.Sockets;
using ProxyGateway.Configuration;
using ProxyGateway.Configuration.Merging;
using ProxyGateway.Configuration.Parsing;
using ProxyGateway.Configuration.Validation;

namespace ProxyGateway.Management;

/// <summary>
/// The verb <c>healthcheck</c>: asks the management port of the gateway on this machine, for images that have neither a shell nor
/// a client of their own. Sends no credentials and reads no body.
/// </summary>
internal static class HealthCheckCommand
{
    public const string Ready = "/health/ready";

    public const string Live = "/health/live";

    /// <summary>0 where the gateway says yes within <paramref name="patience"/>, else 1.</summary>
    public static async Task<int> RunAsync(ConfigurationInputs inputs, string path, TimeSpan patience, TextWriter output, CancellationToken cancellationToken)
    {
        var listen = ListenAddress(inputs);
        if (!TryTarget(listen, out var target, out var socket))
        {
            output.WriteLine($"cannot ask {listen}: Gateway:ManagementListen is no address with a fixed port");
            return 1;
        }

        using var client = Client(socket);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(patience);
        try
        {
            using var response = await client.GetAsync(new Uri(target, path), HttpCompletionOption.ResponseHeadersRead, limit.Token);
            output.WriteLine($"{listen}{path}: {(int)response.StatusCode}");
            return response.StatusCode == HttpStatusCode.OK ? 0 : 1;
        }
        catch (HttpRequestException exception)
        {
            output.WriteLine($"{listen}{path}: no answer ({exception.HttpRequestError})");
        }
        catch (OperationCanceledException)
        {
            output.WriteLine($"{listen}{path}: no answer within {patience.TotalSeconds:0.###} s");
        }

        return 1;
    }

    /// <summary>
    /// What the configuration says without judging it: an edit that the running gateway has refused must not make it look dead.
    /// </summary>
    public static string ListenAddress(ConfigurationInputs inputs)
    {
        var raw = new ConfigurationReader(inputs).Read();
        var unread = new DiagnosticBag();
        var root = SettingsParser.Parse(raw.Text ?? "{}"u8.ToArray(), inputs.File, unread);
        SettingsMerger.Merge(root, inputs, raw.Secrets, unread);
        return root.Find("Gateway", "ManagementListen") is { Value: { Length: > 0 } written } ? written : new GatewayOptions().ManagementListen;
    }

    /// <summary>Where a listener can be reached from this machine. <paramref name="socket"/> is the path of a Unix socket, if it is one.</summary>
    public static bool TryTarget(string listen, out Uri target, out string? socket)
    {
        (target, socket) = (new Uri("http://localhost"), null);
        BindingAddress address;
        try
        {
            address = BindingAddress.Parse(listen);
        }
        catch (FormatException)
        {
            return false;
        }

        if (address.IsUnixPipe)
        {
            socket = address.UnixPipePath;
            target = new Uri($"{address.Scheme}://localhost");
            return true;
        }

        // The names that the listener takes for every address of the machine; a socket on [::] takes IPv4 as well.
        var isOne = address.Host is not "0.0.0.0" and not "[::]"
            && (IPAddress.TryParse(address.Host.Trim('[', ']'), out _) || address.Host.Equals("localhost", StringComparison.OrdinalIgnoreCase));
        return address.Port is > 0 and <= 65535
            && Uri.TryCreate($"{address.Scheme}://{(isOne ? address.Host : "127.0.0.1")}:{address.Port}", UriKind.Absolute, out target!);
    }

    private static HttpClient Client(string? socket)
    {
        var handler = new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false, UseCookies = false };
        // The certificate is for the name that others use; nothing is told to whoever answers here, and all that is taken is a yes.
        handler.SslOptions.RemoteCertificateValidationCallback = static (_, _, _, _) => true;
        if (socket is not null)
        {
            handler.ConnectCallback = async (_, cancel) =>
            {
                var connection = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                try
                {
                    await connection.ConnectAsync(new UnixDomainSocketEndPoint(socket), cancel);
                    return new NetworkStream(connection, ownsSocket: true);
                }
                catch
                {
                    connection.Dispose();
                    throw;
                }
            };
        }

        return new HttpClient(handler);
    }
}
