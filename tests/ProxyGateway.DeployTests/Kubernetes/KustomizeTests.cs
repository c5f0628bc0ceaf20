using k8s.Models;
using Xunit;

namespace ProxyGateway.DeployTests.Kubernetes;

/// <summary>deploy/kubernetes as <c>kubectl apply -k</c> would send it.</summary>
public sealed class KustomizeTests
{
    [Theory]
    [InlineData("base")]
    [InlineData("overlays/production")]
    public async Task Built_KeepsEveryRule(string folder) => ManifestRules.Check(await BuildAsync(folder));

    [Fact]
    public async Task Production_ScalesAndIsScraped()
    {
        var manifests = await BuildAsync("overlays/production");

        Assert.Single(manifests.All<V2HorizontalPodAutoscaler>());
        Assert.Single(manifests.All<ServiceMonitor>());
        Assert.Equal("restricted", manifests.Single<V1Namespace>().Metadata.Labels["pod-security.kubernetes.io/enforce"]);
        Assert.StartsWith("registry.example.com/", manifests.Container.Image, StringComparison.Ordinal);
    }

    [Fact]
    public void EveryFile_IsReadStrictly()
    {
        var files = Directory.GetFiles(Repository.PathOf("deploy", "kubernetes"), "*.yaml", SearchOption.AllDirectories)
            .Where(f => Path.GetFileName(f) is not ("kustomization.yaml" or "prometheus-adapter.yaml"))
            .ToList();

        Assert.True(files.Count >= 7);
        Assert.All(files, f => Manifests.Read(File.ReadAllText(f)));
    }

    [Fact]
    public void MisspeltKey_IsAnError()
    {
        var text = Repository.Text("deploy", "kubernetes", "base", "deployment.yaml").Replace("terminationGracePeriodSeconds", "terminationGracePeriodSecond", StringComparison.Ordinal);

        Assert.ThrowsAny<Exception>(() => Manifests.Read(text));
    }

    [Fact]
    public void AdaptersRule_OffersTheAutoscalersMetric()
    {
        var rules = Yaml.Document(Repository.Text("deploy", "kubernetes", "components", "autoscaling", "prometheus-adapter.yaml"));
        var autoscaler = Yaml.Document(Repository.Text("deploy", "kubernetes", "components", "autoscaling", "horizontalpodautoscaler.yaml"));

        Assert.Equal(Yaml.TextAt(autoscaler, "spec/metrics/0/pods/metric/name"), Yaml.TextAt(rules, "rules/custom/0/name/as"));
    }

    private static async Task<Manifests> BuildAsync(string folder) =>
        Manifests.Read(await Tool.RunAsync(Tool.Kubectl!, "kustomize", Repository.PathOf(["deploy", "kubernetes", .. folder.Split('/')])));
}
