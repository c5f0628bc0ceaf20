using ProxyGateway.TestKit.Data;

namespace ProxyGateway.DeployTests;

/// <summary>The repository's own files, wherever the tests run from.</summary>
internal static class Repository
{
    public static string Root { get; } = SharedData.RepositoryRoot(AppContext.BaseDirectory)
        ?? throw new InvalidOperationException("The tests run outside of the repository.");

    public static string PathOf(params string[] parts) => Path.Combine([Root, .. parts]);

    public static string Text(params string[] parts) => File.ReadAllText(PathOf(parts));
}
