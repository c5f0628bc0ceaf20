namespace ProxyGateway.TestKit.Data;

/// <summary>
/// Finds the folder with third-party test data. The data is not part of the repository: tests that need it are skipped,
/// visibly, where it is absent, and fail in CI.
/// </summary>
public static class SharedData
{
    public const string Variable = "PROXYGATEWAY_SHARED_DATA";

    /// <summary>What a skipped test says.</summary>
    public const string Missing = "The third-party test data is not here. Set PROXYGATEWAY_SHARED_DATA to its folder, or put it at ../shared/data beside the repository.";

    /// <summary>The folder, or null where there is none.</summary>
    public static string? Find() => Find(Environment.GetEnvironmentVariable(Variable), AppContext.BaseDirectory);

    /// <summary>The folder, or null where the caller should skip. Throws in CI, where a skip would go unseen.</summary>
    public static string? Require() => Require(Find(), Environment.GetEnvironmentVariable("CI"));

    /// <summary>Where <paramref name="variable"/> names a folder that does not exist there is no data, not another folder's.</summary>
    public static string? Find(string? variable, string baseDirectory)
    {
        if (!string.IsNullOrEmpty(variable))
        {
            return Directory.Exists(variable) ? variable : null;
        }

        var root = RepositoryRoot(baseDirectory);
        var folder = root is null ? null : Path.GetFullPath(Path.Combine(root, "..", "shared", "data"));
        return Directory.Exists(folder) ? folder : null;
    }

    public static string? Require(string? found, string? ci) =>
        found is null && string.Equals(ci, "true", StringComparison.OrdinalIgnoreCase) ? throw new DirectoryNotFoundException(Missing) : found;

    /// <summary>The nearest folder above that holds the solution.</summary>
    public static string? RepositoryRoot(string from)
    {
        for (var folder = new DirectoryInfo(from); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "ProxyGateway.sln")))
            {
                return folder.FullName;
            }
        }

        return null;
    }
}
