using k8s.Models;
using Xunit;

namespace ProxyGateway.DeployTests.Kubernetes;

/// <summary>The chart, rendered by Helm itself.</summary>
public sealed class HelmTests
{
    private static readonly string s_chart = Repository.PathOf("deploy", "helm", "proxygateway");

    [Fact]
    public async Task Lint_IsContent() => await Tool.RunAsync(Tool.Helm!, "lint", "--strict", s_chart);

    [Fact]
    public async Task DefaultValues_KeepEveryRule() => ManifestRules.Check(await RenderAsync());

    [Theory]
    [InlineData("drain.delaySeconds=0", "drain.timeoutSeconds=0", "00:00:00", "00:00:00", 15)]
    [InlineData("drain.delaySeconds=300", "drain.timeoutSeconds=3700", "00:05:00", "01:01:40", 4015)]
    [InlineData("drain.delaySeconds=10", "drain.timeoutSeconds=86400", "00:00:10", "1.00:00:00", 86425)]
    public async Task GracePeriod_FollowsTheDrain(string delay, string timeout, string delayText, string timeoutText, long grace)
    {
        var manifests = await RenderAsync(delay, timeout);

        ManifestRules.Check(manifests);
        Assert.Equal((delayText, timeoutText), (manifests.Environment("Gateway__Drain__Delay"), manifests.Environment("Gateway__Drain__Timeout")));
        Assert.Equal(grace, manifests.Pod.TerminationGracePeriodSeconds);
    }

    [Fact]
    public async Task EverythingSwitchedOn_KeepsEveryRule()
    {
        var manifests = await RenderAsync(
            "autoscaling.enabled=true", "serviceMonitor.enabled=true", "serviceMonitor.labels.release=prometheus", "existingSecret=keys", "priorityClassName=high",
            "nodeSelector.disk=fast", "podLabels.team=chat", "podAnnotations.a=b", "imagePullSecrets[0].name=pull", "image.digest=sha256:" + new string('0', 64),
            "extraEnv[0].name=OTEL_EXPORTER_OTLP_ENDPOINT", "extraEnv[0].value=http://collector:4317", "networkPolicy.clients[0].podSelector.matchLabels.app=ingress");

        ManifestRules.Check(manifests);
        Assert.Single(manifests.All<V2HorizontalPodAutoscaler>());
        Assert.Single(manifests.All<ServiceMonitor>());
        Assert.Equal("keys", Assert.Single(manifests.Pod.Volumes, v => v.Name == "secrets").Secret.SecretName);
        Assert.EndsWith("@sha256:" + new string('0', 64), manifests.Container.Image, StringComparison.Ordinal);
        Assert.Equal("http://collector:4317", manifests.Environment("OTEL_EXPORTER_OTLP_ENDPOINT"));
        Assert.Equal("high", manifests.Pod.PriorityClassName);
    }

    [Fact]
    public async Task NobodyToMonitor_ClosesTheManagementPort()
    {
        var manifests = await RenderAsync("networkPolicy.monitoring=null");

        Assert.Equal("http", Assert.Single(Assert.Single(manifests.Single<V1NetworkPolicy>().Spec.Ingress).Ports).Port);
    }

    [Theory]
    [InlineData("nonsense=1")]
    [InlineData("drain.timeoutSeconds=-1")]
    [InlineData("replicaCount=many")]
    [InlineData("service.type=Nowhere")]
    [InlineData("image.digest=latest")]
    public async Task WrongValue_IsRefusedByTheSchema(string value)
    {
        var (exitCode, _, errors) = await Tool.TryRunAsync(Tool.Helm!, "template", "gateway", s_chart, "--set", value);

        Assert.NotEqual(0, exitCode);
        Assert.Contains("values don't meet the specifications of the schema", errors, StringComparison.Ordinal);
    }

    private static async Task<Manifests> RenderAsync(params string[] values) =>
        Manifests.Read(await Tool.RunAsync(Tool.Helm!, ["template", "gateway", s_chart, "--namespace", "chat", .. values.SelectMany(v => new[] { "--set", v })]));
}
