using Microsoft.Net.Http.Headers;

namespace ProxyGateway.StreamingFallback.Configuration;

/// <summary>The gateway's own key for a cluster: read from the configuration or from a file that may change. Thread-safe.</summary>
internal sealed class ClusterCredential
{
    /// <summary>How long a file's content is believed. Keys are rotated with both valid for a while.</summary>
    private static readonly TimeSpan FileAge = TimeSpan.FromSeconds(5);

    /// <summary>Anything shorter is no key, and stands in ordinary words.</summary>
    private const int ShortestMasked = 6;

    private readonly string _scheme;
    private readonly string? _file;
    private volatile Key _key;

    private ClusterCredential(string header, string scheme, string? file, string secret)
    {
        (Header, _scheme, _file) = (header, scheme, file);
        _key = new Key(secret, null);
    }

    public string Header { get; }

    /// <summary>What must not be seen outside.</summary>
    public string Secret => _key.Secret;

    /// <summary>Null where the cluster has no key of its own.</summary>
    /// <exception cref="InvalidOperationException">The block cannot be used; the message names the option and never the key.</exception>
    public static ClusterCredential? From(string clusterId, CredentialOptions? o)
    {
        if (o is null || (o.Value is null && o.ValueFile is null))
        {
            return null;
        }

        var path = $"Clusters:{clusterId}:Credentials";
        if (o.Value is not null && o.ValueFile is not null)
        {
            throw new InvalidOperationException($"{path}: Value and ValueFile exclude each other.");
        }

        if (o.Header.Length == 0 || o.Header.AsSpan().IndexOfAnyExcept(HeaderCharacters) >= 0)
        {
            throw new InvalidOperationException($"{path}:Header: not the name of a header.");
        }

        var scheme = o.Scheme ?? (o.Header.Equals(HeaderNames.Authorization, StringComparison.OrdinalIgnoreCase) ? "Bearer" : "");
        var secret = o.Value ?? ReadFile(o.ValueFile!, path);
        if (!IsUsable(secret))
        {
            throw new InvalidOperationException($"{path}:{(o.Value is null ? "ValueFile" : "Value")}: the key is empty or holds characters that a header cannot carry.");
        }

        return new ClusterCredential(o.Header, scheme, o.ValueFile, secret);
    }

    /// <summary>Blots out the key where an upstream quotes it. The length stays.</summary>
    public void Mask(Span<byte> text)
    {
        var secret = System.Text.Encoding.ASCII.GetBytes(Secret);
        if (secret.Length < ShortestMasked)
        {
            return;
        }

        for (var at = text.IndexOf(secret); at >= 0; at = text.IndexOf(secret))
        {
            text.Slice(at, secret.Length).Fill((byte)'*');
            text = text[(at + secret.Length)..];
        }
    }

    /// <summary>The header's value as of now.</summary>
    public string HeaderValue(TimeProvider time)
    {
        var key = _key;
        if (_file is not null && (key.ReadAt is null || time.GetElapsedTime(key.ReadAt.Value) >= FileAge))
        {
            key = new Key(Reread() ?? key.Secret, time.GetTimestamp());
            _key = key;
        }

        return _scheme.Length > 0 ? $"{_scheme} {key.Secret}" : key.Secret;
    }

    private static readonly System.Buffers.SearchValues<char> HeaderCharacters =
        System.Buffers.SearchValues.Create("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");

    private static bool IsUsable(string secret) => secret.Length > 0 && secret.AsSpan().IndexOfAnyExceptInRange(' ', '~') < 0;

    private static string ReadFile(string file, string path)
    {
        try
        {
            return File.ReadAllText(file).Trim();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InvalidOperationException($"{path}:ValueFile: '{file}' cannot be read ({e.GetType().Name}).");
        }
    }

    /// <summary>Null where the file cannot be used just now; the key that is known goes on.</summary>
    private string? Reread()
    {
        try
        {
            var secret = File.ReadAllText(_file!).Trim();
            return IsUsable(secret) ? secret : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    // A class without a text of its own: nothing that prints it shows the key.
    private sealed class Key(string secret, long? readAt)
    {
        public string Secret => secret;

        public long? ReadAt => readAt;
    }
}
