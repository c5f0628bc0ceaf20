using System.Security.Cryptography;
using System.Text;
using ProxyGateway.Configuration.Parsing;
using ProxyGateway.Configuration.Validation;

namespace ProxyGateway.Configuration.Merging;

/// <summary>
/// Reads the file and the secrets whole, each time by name. No watcher: inotify does not see a ConfigMap's symlink swap,
/// and an editor's rename takes the watched inode away. Never throws for what the disk does.
/// </summary>
internal sealed class ConfigurationReader(ConfigurationInputs inputs)
{
    private const int LargestFile = 16 * 1024 * 1024;
    private const int LargestSecret = 64 * 1024;

    private byte[]? _lastText;
    private string? _lastDirectory;

    public RawConfiguration Read()
    {
        var (text, failure) = ReadFile(inputs.File, LargestFile);
        var (directory, isUsual) = SecretsDirectory(text);
        var (secrets, secretsFailure) = ReadSecrets(directory, isUsual);
        return new RawConfiguration(text, failure, secrets, secretsFailure, Fingerprint(text, failure, secrets, secretsFailure));
    }

    private static (byte[]? Content, string? Failure) ReadFile(string path, int largest)
    {
        try
        {
            using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
            if (stream.Length > largest)
            {
                return (null, $"is larger than {largest} bytes");
            }

            var content = new byte[stream.Length];
            var read = stream.ReadAtLeast(content, content.Length, throwOnEndOfStream: false);
            return (content[..read], null);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            return (null, Reason(exception, path));
        }
    }

    private static string Reason(Exception exception, string path) => exception switch
    {
        FileNotFoundException or DirectoryNotFoundException when new FileInfo(path).LinkTarget is not null => "is a link to a file that does not exist",
        FileNotFoundException or DirectoryNotFoundException => "does not exist",
        UnauthorizedAccessException when Directory.Exists(path) => "is a directory",
        UnauthorizedAccessException => "may not be read by this user",
        _ => $"cannot be read ({exception.GetType().Name})",
    };

    private (string Directory, bool IsUsual) SecretsDirectory(byte[]? text)
    {
        if (inputs.Environment.TryGetValue(ConfigurationInputs.SecretsDirectoryVariable, out var named) && named.Length > 0)
        {
            return (named, false);
        }

        if (text is not null && (_lastText is null || !text.AsSpan().SequenceEqual(_lastText)))
        {
            _lastText = text;
            _lastDirectory = SettingsParser.Parse(text, inputs.File, new DiagnosticBag()).Find("Gateway", "SecretsDirectory")?.Value;
        }

        return string.IsNullOrEmpty(_lastDirectory)
            ? (ConfigurationInputs.UsualSecretsDirectory, true)
            : (Path.Combine(Path.GetDirectoryName(Path.GetFullPath(inputs.File))!, _lastDirectory), false);
    }

    private static (IReadOnlyList<SecretFile> Secrets, string? Failure) ReadSecrets(string directory, bool isUsual)
    {
        string[] paths;
        try
        {
            // Links in a mounted secret's directory point to files; enumerating files follows them.
            paths = Directory.GetFiles(directory);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return ([], isUsual ? null : $"the secrets directory {directory} {Reason(exception, directory)}");
        }

        Array.Sort(paths, StringComparer.Ordinal);
        var secrets = new List<SecretFile>();
        foreach (var path in paths)
        {
            var name = Path.GetFileName(path);
            if (name.StartsWith('.') || !name.Contains("__", StringComparison.Ordinal))
            {
                continue;
            }

            var (content, failure) = ReadFile(path, LargestSecret);
            if (content is null)
            {
                return ([], $"the secret {path} {failure}");
            }

            secrets.Add(new SecretFile(path, name.Replace("__", ":", StringComparison.Ordinal), Encoding.UTF8.GetString(content).TrimEnd('\r', '\n')));
        }

        return (secrets, null);
    }

    private static string Fingerprint(byte[]? text, string? failure, IReadOnlyList<SecretFile> secrets, string? secretsFailure)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Append(text is null ? "-" : "+");
        hash.AppendData(text ?? []);
        Append(failure ?? "");
        foreach (var secret in secrets)
        {
            Append(secret.Key);
            Append(secret.Value);
        }

        Append(secretsFailure ?? "");
        return Convert.ToHexString(hash.GetHashAndReset());

        void Append(string part)
        {
            hash.AppendData("\0"u8);
            hash.AppendData(Encoding.UTF8.GetBytes(part));
        }
    }
}
