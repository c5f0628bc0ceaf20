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
    private const int FirstPiece = 4 * 1024;

    private bool _hasRead;
    private byte[]? _lastText;
    private string? _lastDirectory;

    public RawConfiguration Read()
    {
        // Who starts with a pipe waits for its writer; who serves already must not.
        var (text, failure) = ReadFile(inputs.File, LargestFile, mayWait: !_hasRead);
        _hasRead = true;
        var (directory, isUsual) = SecretsDirectory(text);
        var (secrets, secretsFailure) = ReadSecrets(directory, isUsual);
        return new RawConfiguration(text, failure, secrets, secretsFailure, Fingerprint(text, failure, secrets, secretsFailure));
    }

    private static (byte[]? Content, string? Failure) ReadFile(string path, int largest, bool mayWait)
    {
        try
        {
            if (!mayWait && HasNoLength(path))
            {
                return ([], null);
            }

            using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
            return ReadToEnd(stream, largest) is { } content ? (content, null) : (null, $"is larger than {largest} bytes");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            return (null, Reason(exception, path));
        }
    }

    /// <summary>True of an empty file, and of a pipe, which would block in the opening until somebody writes to it.</summary>
    private static bool HasNoLength(string path)
    {
        var file = new FileInfo(path);
        file = (FileInfo)(file.ResolveLinkTarget(returnFinalTarget: true) ?? file);
        return file.Exists && file.Length == 0;
    }

    /// <summary>Null where there is more than <paramref name="largest"/>. A pipe does not tell beforehand, and a file may grow meanwhile.</summary>
    private static byte[]? ReadToEnd(FileStream stream, int largest)
    {
        var content = new byte[Math.Min(stream.CanSeek ? stream.Length + 1 : FirstPiece, largest + 1)];
        var length = 0;
        while (true)
        {
            length += stream.ReadAtLeast(content.AsSpan(length), content.Length - length, throwOnEndOfStream: false);
            if (length < content.Length)
            {
                return content[..length];
            }

            if (length > largest)
            {
                return null;
            }

            Array.Resize(ref content, Math.Min(content.Length * 2, largest + 1));
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

            var (content, failure) = ReadFile(path, LargestSecret, mayWait: false);
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
