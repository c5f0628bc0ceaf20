using Microsoft.Extensions.Primitives;
using ProxyGateway.Configuration;

namespace ProxyGateway.Clients;

/// <summary>The clients of the current configuration. Follows reloads; a section that cannot be read leaves the last one in force.</summary>
internal sealed partial class ClientRegistry : IDisposable
{
    private readonly IConfiguration _configuration;
    private readonly ILogger<ClientRegistry> _logger;
    private readonly IDisposable _changes;
    private volatile ClientTable _table;

    public ClientRegistry(IConfiguration configuration, ILogger<ClientRegistry> logger)
    {
        _configuration = configuration;
        _logger = logger;
        _table = new ClientTable(Read(), null);
        _changes = ChangeToken.OnChange(configuration.GetReloadToken, Reload);
    }

    public ClientTable Current => _table;

    public void Dispose() => _changes.Dispose();

    private void Reload()
    {
        try
        {
            _table = new ClientTable(Read(), _table);
        }
        catch (Exception e) when (e is FormatException or InvalidOperationException)
        {
            Kept(_logger);
        }
    }

    private Dictionary<string, ClientOptions> Read()
    {
        var clients = new Dictionary<string, ClientOptions>(StringComparer.OrdinalIgnoreCase);
        foreach (var section in _configuration.GetSection("Clients").GetChildren())
        {
            var options = new ClientOptions();
            section.Bind(options);
            if (options.KeyHash.Trim().Length != 64)
            {
                throw new FormatException($"Clients:{section.Key}:KeyHash: must be the SHA-256 of the key, 64 hexadecimal digits.");
            }

            clients.Add(section.Key, options);
        }

        return clients;
    }

    [LoggerMessage(EventId = 1, EventName = "ClientsKept", Level = LogLevel.Warning, Message = "the Clients section cannot be read; the clients known before stay")]
    private static partial void Kept(ILogger logger);
}
