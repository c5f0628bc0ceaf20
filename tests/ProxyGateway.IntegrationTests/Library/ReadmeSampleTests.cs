using System.Diagnostics;
using System.Text;
using System.Text.RegularExpressions;
using ProxyGateway.IntegrationTests.Gateway;
using ProxyGateway.TestKit.Chats;
using ProxyGateway.TestKit.Client;
using ProxyGateway.TestKit.Upstream;
using Xunit;

namespace ProxyGateway.IntegrationTests.Library;

/// <summary>What the library's README shows is what a stranger gets: code and configuration are taken from it and run.</summary>
public sealed partial class ReadmeSampleTests
{
    private static readonly TimeSpan BuildLimit = TimeSpan.FromMinutes(6);

    [Fact]
    public async Task CodeAndConfigurationOfTheReadme_CompileRunAndRecoverAStream()
    {
        var library = Path.Combine(RepositoryRoot(), "src", "ProxyGateway.StreamingFallback");
        var readme = await File.ReadAllTextAsync(Path.Combine(library, "README.md"), TestContext.Current.CancellationToken);
        var folder = Directory.CreateTempSubdirectory("readme-sample-");
        try
        {
            await WriteProjectAsync(folder.FullName, library, readme);
            var (exitCode, output) = await RunAsync(folder.FullName, "build", "-c", Configuration(), "-v", "q", "--nologo", "-o", Path.Combine(folder.FullName, "out"));
            Assert.True(exitCode == 0, output);

            await using var ccrouter = ScriptedUpstream.Start(Agents.Started(4).ThenReset(), UpstreamScript.Json(Agents.WholeAnswer));
            using var app = Start(folder.FullName, "out/Sample.dll", ccrouter.Address);
            try
            {
                var result = await RawHttpClient.PostAsync(await ListeningAddressAsync(app), Chat.Default.Request(), cancel: TestContext.Current.CancellationToken);
                Assert.Equal((200, Agents.WholeText, true), (result.Status, result.Text(), result.IsDone()));
                Assert.Equal(2, ccrouter.RequestCount);
            }
            finally
            {
                app.Kill();
                await app.WaitForExitAsync(TestContext.Current.CancellationToken);
            }
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static async Task WriteProjectAsync(string folder, string library, string readme)
    {
        var cancel = TestContext.Current.CancellationToken;
        await File.WriteAllTextAsync(Path.Combine(folder, "Program.cs"), Block(readme, "csharp"), cancel);
        await File.WriteAllTextAsync(Path.Combine(folder, "appsettings.json"), Block(readme, "json"), cancel);
        await File.WriteAllTextAsync(
            Path.Combine(folder, "Sample.csproj"),
            $"""
            <Project Sdk="Microsoft.NET.Sdk.Web">
              <PropertyGroup>
                <TargetFramework>net10.0</TargetFramework>
                <Nullable>enable</Nullable>
                <ImplicitUsings>enable</ImplicitUsings>
                <NuGetAudit>false</NuGetAudit>
              </PropertyGroup>
              <ItemGroup>
                <ProjectReference Include="{library}/ProxyGateway.StreamingFallback.csproj" />
              </ItemGroup>
            </Project>
            """,
            cancel);
    }

    private static string Block(string readme, string language) =>
        Regex.Match(readme, $"^```{language}\n(.*?)^```", RegexOptions.Multiline | RegexOptions.Singleline).Groups[1].Value is { Length: > 0 } block
            ? block
            : throw new InvalidOperationException($"The README has no {language} block.");

    private static Process Start(string folder, string assembly, Uri upstream)
    {
        var start = Command(folder, assembly);
        start.Environment["ASPNETCORE_URLS"] = "http://127.0.0.1:0";
        start.Environment["ReverseProxy__Clusters__ccrouter__Destinations__a__Address"] = upstream.ToString();
        return Process.Start(start)!;
    }

    private static async Task<Uri> ListeningAddressAsync(Process app)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(TimeSpan.FromMinutes(1));
        var log = new StringBuilder();
        while (await app.StandardOutput.ReadLineAsync(limit.Token) is { } line)
        {
            log.AppendLine(line);
            if (ListeningOn().Match(line) is { Success: true } match)
            {
                // Nobody reads on, and a full pipe must not stop the application.
                _ = app.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
                return new Uri(match.Groups[1].Value);
            }
        }

        throw new InvalidOperationException(log.ToString());
    }

    private static async Task<(int ExitCode, string Output)> RunAsync(string folder, params string[] arguments)
    {
        using var process = Process.Start(Command(folder, arguments))!;
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(BuildLimit);
        var output = process.StandardOutput.ReadToEndAsync(limit.Token);
        var errors = process.StandardError.ReadToEndAsync(limit.Token);
        await process.WaitForExitAsync(limit.Token);
        return (process.ExitCode, await output + await errors);
    }

    private static ProcessStartInfo Command(string folder, params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", arguments) { WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true };
        // No build server is left behind, and what the test run set for itself stays with it.
        start.Environment["MSBUILDDISABLENODEREUSE"] = "1";
        start.Environment["DOTNET_CLI_USE_MSBUILD_SERVER"] = "0";
        start.Environment["UseSharedCompilation"] = "false";
        return start;
    }

    private static string Configuration() =>
        AppContext.BaseDirectory.Contains("release", StringComparison.OrdinalIgnoreCase) ? "Release" : "Debug";

    private static string RepositoryRoot()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "ProxyGateway.sln")))
        {
            folder = folder.Parent;
        }

        return folder?.FullName ?? throw new InvalidOperationException("The tests do not run inside the repository.");
    }

    [GeneratedRegex(@"Now listening on: (http://\S+)")]
    private static partial Regex ListeningOn();
}
