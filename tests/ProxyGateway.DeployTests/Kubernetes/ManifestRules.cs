using System.Globalization;
using k8s.Models;
using ProxyGateway.Configuration.Commands;
using ProxyGateway.Configuration.Merging;
using Xunit;

namespace ProxyGateway.DeployTests.Kubernetes;

/// <summary>What must hold for every way the gateway is put onto Kubernetes: the kustomize base, an overlay, the chart.</summary>
internal static class ManifestRules
{
    public static void Check(Manifests manifests)
    {
        GracePeriodOutlastsTheDrain(manifests);
        ProbesAskTheManagementPort(manifests);
        PodIsRestricted(manifests);
        ConfigurationIsADirectoryAndValid(manifests);
        SelectorsFindThePod(manifests);
        OnlyMonitoringReachesTheManagementPort(manifests);
        ReplicasHaveOneOwner(manifests);
    }

    private static void GracePeriodOutlastsTheDrain(Manifests manifests)
    {
        var drain = TimeSpan.Parse(manifests.Environment("Gateway__Drain__Delay"), CultureInfo.InvariantCulture)
            + TimeSpan.Parse(manifests.Environment("Gateway__Drain__Timeout"), CultureInfo.InvariantCulture);
        Assert.True(manifests.Pod.TerminationGracePeriodSeconds > (drain + DrainTimes.Endings).TotalSeconds, $"{manifests.Pod.TerminationGracePeriodSeconds} s for a drain of {drain}");
    }

    private static void ProbesAskTheManagementPort(Manifests manifests)
    {
        var container = manifests.Container;
        var management = Assert.Single(container.Ports, p => p.Name == "management").ContainerPort;
        Assert.EndsWith($":{management}", manifests.Environment("Gateway__ManagementListen"), StringComparison.Ordinal);
        Assert.EndsWith($":{Assert.Single(container.Ports, p => p.Name == "http").ContainerPort}", manifests.Environment("Gateway__Listen"), StringComparison.Ordinal);
        foreach (var (probe, path) in new[] { (container.StartupProbe, "/health/ready"), (container.ReadinessProbe, "/health/ready"), (container.LivenessProbe, "/health/live") })
        {
            Assert.Equal(("management", path), ((string)probe.HttpGet.Port, probe.HttpGet.Path));
        }
    }

    /// <summary>The restricted Pod Security Standard, and a root filesystem nobody can write to.</summary>
    private static void PodIsRestricted(Manifests manifests)
    {
        var pod = manifests.Pod.SecurityContext;
        var container = manifests.Container.SecurityContext;
        Assert.True(pod.RunAsNonRoot);
        Assert.NotEqual(0, pod.RunAsUser);
        Assert.Equal("RuntimeDefault", pod.SeccompProfile.Type);
        Assert.False(container.AllowPrivilegeEscalation);
        Assert.True(container.ReadOnlyRootFilesystem);
        Assert.Equal(["ALL"], container.Capabilities.Drop);
        Assert.Null(container.Capabilities.Add);
        Assert.False(manifests.Pod.AutomountServiceAccountToken);
        Assert.NotEqual(true, manifests.Pod.HostNetwork);
        Assert.All(manifests.Pod.Volumes, v => Assert.Null(v.HostPath));
        Assert.False(manifests.Container.Resources.Limits.ContainsKey("cpu"));
        Assert.True(manifests.Container.Resources.Limits.ContainsKey("memory"));
    }

    private static void ConfigurationIsADirectoryAndValid(Manifests manifests)
    {
        Assert.All(manifests.Container.VolumeMounts, m => Assert.Null(m.SubPath));
        Assert.All(manifests.Container.VolumeMounts, m => Assert.True(m.ReadOnlyProperty));
        Assert.Contains(manifests.Container.VolumeMounts, m => m.MountPath == manifests.Environment("PROXYGATEWAY_SECRETS_DIR"));
        var mount = Assert.Single(manifests.Container.VolumeMounts, m => m.Name == "config").MountPath;
        Assert.Equal(["run", "--config", $"{mount}/appsettings.json"], manifests.Container.Args);

        var name = Assert.Single(manifests.Pod.Volumes, v => v.Name == "config").ConfigMap.Name;
        var map = manifests.Single<V1ConfigMap>();
        // A hash in the name would make each edit a new map, which the running pods never see.
        Assert.Equal(name, map.Metadata.Name);

        var folder = Directory.CreateTempSubdirectory("gateway-manifest-");
        try
        {
            var file = Path.Combine(folder.FullName, "appsettings.json");
            File.WriteAllText(file, map.Data["appsettings.json"]);
            var environment = manifests.Container.Env.Where(e => e.Name != "PROXYGATEWAY_SECRETS_DIR").ToDictionary(e => e.Name, e => e.Value);
            var output = new StringWriter();
            Assert.True(CheckCommand.Run(new ConfigurationInputs { File = file, Environment = environment }, CheckFormat.Text, output, output) == 0, output.ToString());
            Assert.DoesNotContain("warning", output.ToString(), StringComparison.Ordinal);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static void SelectorsFindThePod(Manifests manifests)
    {
        var labels = manifests.Deployment.Spec.Template.Metadata.Labels;
        Finds(manifests.Deployment.Spec.Selector.MatchLabels);
        Finds(manifests.Single<V1PodDisruptionBudget>().Spec.Selector.MatchLabels);
        Finds(manifests.Single<V1NetworkPolicy>().Spec.PodSelector.MatchLabels);
        Assert.All(manifests.Pod.TopologySpreadConstraints, c => Finds(c.LabelSelector.MatchLabels));
        Assert.Equal(2, manifests.All<V1Service>().Count());
        Assert.All(manifests.All<V1Service>(), s => Finds(s.Spec.Selector));
        foreach (var service in manifests.All<V1Service>())
        {
            Assert.All(service.Spec.Ports, p => Assert.Contains(manifests.Container.Ports, c => c.Name == p.TargetPort));
        }

        foreach (var monitor in manifests.All<ServiceMonitor>())
        {
            var service = Assert.Single(manifests.All<V1Service>(), s => monitor.Spec.Selector.MatchLabels.All(s.Metadata.Labels.Contains));
            Assert.Contains(service.Spec.Ports, p => p.Name == Assert.Single(monitor.Spec.Endpoints).Port);
            // The alerts name the job.
            Assert.Equal("proxygateway", service.Metadata.Labels[monitor.Spec.JobLabel!]);
        }

        void Finds(IDictionary<string, string> selector)
        {
            Assert.NotEmpty(selector);
            Assert.All(selector, s => Assert.Equal(s.Value, labels[s.Key]));
        }
    }

    private static void OnlyMonitoringReachesTheManagementPort(Manifests manifests)
    {
        var policy = manifests.Single<V1NetworkPolicy>().Spec;
        Assert.Contains("Ingress", policy.PolicyTypes);
        foreach (var rule in policy.Ingress.Where(r => r.Ports is null || r.Ports.Any(p => p.Port != "http")))
        {
            Assert.NotEmpty(rule.FromProperty);
        }

        var clients = Assert.Single(manifests.All<V1Service>(), s => s.Spec.Ports.Any(p => p.TargetPort == "http"));
        Assert.DoesNotContain(clients.Spec.Ports, p => p.TargetPort == "management");
    }

    /// <summary>A number in the manifest would undo the autoscaler's with every apply.</summary>
    private static void ReplicasHaveOneOwner(Manifests manifests)
    {
        if (manifests.All<V2HorizontalPodAutoscaler>().SingleOrDefault() is not { } autoscaler)
        {
            Assert.True(manifests.Deployment.Spec.Replicas >= 2);
            return;
        }

        Assert.Null(manifests.Deployment.Spec.Replicas);
        Assert.Equal(manifests.Deployment.Metadata.Name, autoscaler.Spec.ScaleTargetRef.Name);
        var metric = Assert.Single(autoscaler.Spec.Metrics).Pods;
        Assert.Equal("proxygateway_streams_active", metric.Metric.Name);
        Assert.InRange(autoscaler.Spec.Behavior.ScaleDown.Policies.Single().PeriodSeconds, 1, 1800);
    }
}
