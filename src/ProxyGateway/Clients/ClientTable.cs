using System.Security.Cryptography;
using System.Text;
using ProxyGateway.Configuration;

namespace ProxyGateway.Clients;

/// <summary>The clients of one configuration. Immutable; limits that did not change are carried over, so a reload forgives nobody.</summary>
internal sealed class ClientTable
{
    private readonly List<(string Id, byte[] KeyHash, ClientOptions Options, ClientLimits Limits)> _clients = [];

    public ClientTable(IReadOnlyDictionary<string, ClientOptions> clients, ClientTable? previous)
    {
        foreach (var (id, options) in clients)
        {
            var limits = previous?._clients.FirstOrDefault(c => c.Id == id).Limits is { } known && known.Matches(options)
                ? known
                : new ClientLimits(options);
            _clients.Add((id, Convert.FromHexString(options.KeyHash.Trim()), options, limits));
        }
    }

    /// <summary>The clients that may send so many requests a minute.</summary>
    public IEnumerable<(string Id, ClientLimits Limits)> WithRate => _clients.Where(c => c.Limits.RequestsPerMinute > 0).Select(c => (c.Id, c.Limits));

    public bool IsEmpty => _clients.Count == 0;

    /// <summary>The client whose key this is. Takes as long for a wrong key as for a right one.</summary>
    public (string Id, ClientOptions Options, ClientLimits Limits)? Find(string key)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes(key), hash);
        (string, ClientOptions, ClientLimits)? found = null;
        foreach (var (id, keyHash, options, limits) in _clients)
        {
            if (CryptographicOperations.FixedTimeEquals(hash, keyHash))
            {
                found = (id, options, limits);
            }
        }

        return found;
    }
}
