using System.Text.RegularExpressions;
using System.Xml.Linq;
using Xunit;

namespace ProxyGateway.DeployTests.Container;

/// <summary>What the image promises, read from its Dockerfile and from what the SDK publishes as an image.</summary>
public sealed partial class DockerfileTests
{
    private static readonly Dockerfile s_file = Dockerfile.Read(Repository.Text("deploy", "container", "Dockerfile"));

    public static TheoryData<string> RuntimeStages => ["aot", "final"];

    [Theory]
    [MemberData(nameof(RuntimeStages))]
    public void RuntimeStage_HasNoShellAndNoRoot(string name)
    {
        var stage = Stage(name);

        Assert.EndsWith("-chiseled", stage.Image, StringComparison.Ordinal);
        // A chiseled image cannot run anything while it is built.
        Assert.Empty(stage.Values("RUN"));
        Assert.Equal("$APP_UID", Assert.Single(stage.Values("USER")));
        Assert.Equal("""["/app/proxygateway"]""", Assert.Single(stage.Values("ENTRYPOINT")));
        Assert.EndsWith("""CMD ["/app/proxygateway", "healthcheck"]""", Assert.Single(stage.Values("HEALTHCHECK")), StringComparison.Ordinal);
        Assert.Equal("SIGTERM", Assert.Single(stage.Values("STOPSIGNAL")));
        Assert.All(stage.Values("COPY"), c => Assert.StartsWith("--from=build", c, StringComparison.Ordinal));
        Assert.Contains("DOTNET_EnableDiagnostics=0", Assert.Single(stage.Values("ENV")), StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(RuntimeStages))]
    public void RuntimeStage_ExposesWhatItListensAt(string name)
    {
        var stage = Stage(name);
        var environment = Assert.Single(stage.Values("ENV"));

        Assert.Equal("8080 8081", Assert.Single(stage.Values("EXPOSE")));
        Assert.Contains("Gateway__Listen=http://0.0.0.0:8080", environment, StringComparison.Ordinal);
        Assert.Contains("Gateway__ManagementListen=http://0.0.0.0:8081", environment, StringComparison.Ordinal);
    }

    [Fact]
    public void LastStage_IsWhatABuildWithoutTargetGives() => Assert.Equal("final", s_file.Stages[^1].Name);

    [Fact]
    public void EveryBaseImage_HasAVersion() => Assert.All(s_file.Stages, s => Assert.Contains(":${DOTNET_VERSION}-", s.Image, StringComparison.Ordinal));

    [Fact]
    public void EveryCopiedPath_Exists()
    {
        var sources = s_file.Stages.SelectMany(s => s.Values("COPY")).Where(c => !c.StartsWith("--from", StringComparison.Ordinal)).SelectMany(c => c.Split(' ')[..^1]);

        foreach (var source in sources)
        {
            var folder = Path.GetDirectoryName(source) ?? "";
            Assert.True(
                Directory.Exists(Repository.PathOf(source)) || Directory.GetFiles(Repository.PathOf(folder), Path.GetFileName(source)).Length > 0,
                $"{source} is copied and does not exist");
        }
    }

    [Fact]
    public void Restore_HasEveryProjectOfTheGateway()
    {
        var copies = string.Join('\n', Stage("build").Values("COPY"));

        Assert.All(ReferencedProjects(Repository.PathOf("src", "ProxyGateway", "ProxyGateway.csproj")), p => Assert.Contains($"src/{p}/*.csproj src/{p}/packages.lock.json src/{p}/", copies, StringComparison.Ordinal));
    }

    [Fact]
    public void IgnoreFile_LetsInWhatTheBuildCopies()
    {
        var kept = Repository.Text(".dockerignore").Split('\n').Where(l => l.StartsWith('!')).Select(l => l[1..]).ToList();
        var copied = s_file.Stages.SelectMany(s => s.Values("COPY")).Where(c => !c.StartsWith("--from", StringComparison.Ordinal)).SelectMany(c => c.Split(' ')[..^1]);

        Assert.All(copied, c => Assert.Contains(c.TrimStart('.', '/').Split('/')[0], kept));
    }

    /// <summary>The image that the SDK makes without a Dockerfile is the same one.</summary>
    [Fact]
    public void PublishedImage_IsTheSame()
    {
        var project = XDocument.Load(Repository.PathOf("src", "ProxyGateway", "ProxyGateway.csproj"));
        string Property(string name) => Assert.Single(project.Descendants(name)).Value;

        Assert.Equal("noble-chiseled", Property("ContainerFamily"));
        // The SDK puts the program where it works, so the configuration is named.
        Assert.Equal("/app/", Property("ContainerWorkingDirectory"));
        Assert.Equal("/app/proxygateway", Assert.Single(project.Descendants("ContainerAppCommand")).Attribute("Include")!.Value);
        Assert.Equal($"run;--config;{Assert.Single(Stage("final").Values("WORKDIR"))}/appsettings.json", Assert.Single(project.Descendants("ContainerDefaultArgs")).Attribute("Include")!.Value);
        Assert.Equal("proxygateway", Property("ContainerRepository"));
        Assert.Equal(["8080", "8081"], project.Descendants("ContainerPort").Select(p => p.Attribute("Include")!.Value));
        var environment = project.Descendants("ContainerEnvironmentVariable").Select(e => $"{e.Attribute("Include")!.Value}={e.Attribute("Value")!.Value}").ToList();
        Assert.Equal(Variables().Matches(Assert.Single(Stage("final").Values("ENV"))).Select(m => m.Value).Order(StringComparer.Ordinal), environment.Order(StringComparer.Ordinal));
    }

    private static Dockerfile.Stage Stage(string name) => Assert.Single(s_file.Stages, s => s.Name == name);

    private static HashSet<string> ReferencedProjects(string project)
    {
        var found = new HashSet<string>(StringComparer.Ordinal) { Path.GetFileNameWithoutExtension(project) };
        foreach (var reference in XDocument.Load(project).Descendants("ProjectReference").Select(r => r.Attribute("Include")!.Value))
        {
            found.UnionWith(ReferencedProjects(Path.GetFullPath(Path.Combine(Path.GetDirectoryName(project)!, reference))));
        }

        return found;
    }

    [GeneratedRegex(@"\S+=\S+")]
    private static partial Regex Variables();
}
