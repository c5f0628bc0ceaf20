namespace ProxyGateway.Tests.Configuration;

/// <summary>The repository's own files, wherever the tests run from.</summary>
internal static class RepositoryFiles
{
    public static string Root { get; } = FindRoot();

    /// <summary>Set by whoever changed the catalogue and wants the generated files written anew.</summary>
    public static bool IsUpdate => Environment.GetEnvironmentVariable("UPDATE_GENERATED") == "1";

    public static string PathOf(params string[] parts) => Path.Combine([Root, .. parts]);

    private static string FindRoot()
    {
        for (var directory = new DirectoryInfo(AppContext.BaseDirectory); directory is not null; directory = directory.Parent)
        {
            if (File.Exists(Path.Combine(directory.FullName, "ProxyGateway.sln")))
            {
                return directory.FullName;
            }
        }

        throw new InvalidOperationException("The tests run outside of the repository.");
    }
}
