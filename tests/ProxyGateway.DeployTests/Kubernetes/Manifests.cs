using k8s;
using k8s.Models;
using Xunit;
using YamlDotNet.Serialization;
using YamlDotNet.Serialization.NamingConventions;

namespace ProxyGateway.DeployTests.Kubernetes;

/// <summary>Manifests, read strictly: a key the API does not know is an error, as it is for the API server.</summary>
internal sealed class Manifests
{
    private static readonly Dictionary<string, Type> s_types = new(StringComparer.Ordinal)
    {
        ["v1/ConfigMap"] = typeof(V1ConfigMap),
        ["v1/Namespace"] = typeof(V1Namespace),
        ["v1/Service"] = typeof(V1Service),
        ["v1/ServiceAccount"] = typeof(V1ServiceAccount),
        ["apps/v1/Deployment"] = typeof(V1Deployment),
        ["autoscaling/v2/HorizontalPodAutoscaler"] = typeof(V2HorizontalPodAutoscaler),
        ["networking.k8s.io/v1/NetworkPolicy"] = typeof(V1NetworkPolicy),
        ["policy/v1/PodDisruptionBudget"] = typeof(V1PodDisruptionBudget),
    };

    private readonly List<object> _objects = [];

    public V1Deployment Deployment => Single<V1Deployment>();

    public V1PodSpec Pod => Deployment.Spec.Template.Spec;

    public V1Container Container => Assert.Single(Pod.Containers);

    public IEnumerable<T> All<T>() => _objects.OfType<T>();

    public T Single<T>() => Assert.Single(All<T>());

    public string Environment(string name) => Assert.Single(Container.Env, e => e.Name == name).Value;

    public static Manifests Read(string text)
    {
        var manifests = new Manifests();
        foreach (var part in text.Split("\n---\n"))
        {
            foreach (var document in Yaml.Documents(part))
            {
                manifests._objects.Add(Read(document, part));
            }
        }

        return manifests;
    }

    private static object Read(Dictionary<string, object> document, string text)
    {
        var kind = $"{document["apiVersion"]}/{document["kind"]}";
        if (kind == "monitoring.coreos.com/v1/ServiceMonitor")
        {
            return new DeserializerBuilder().WithNamingConvention(CamelCaseNamingConvention.Instance).Build().Deserialize<ServiceMonitor>(text);
        }

        Assert.True(s_types.TryGetValue(kind, out var type), $"{kind} is not expected");
        return Assert.Single(KubernetesYaml.LoadAllFromString(text, new Dictionary<string, Type> { [kind] = type! }, strict: true));
    }
}

/// <summary>What we use of the Prometheus operator's ServiceMonitor; anything else is a misspelling here.</summary>
public sealed class ServiceMonitor
{
    public string ApiVersion { get; set; } = "";

    public string Kind { get; set; } = "";

    public ObjectName Metadata { get; set; } = new();

    public MonitorSpec Spec { get; set; } = new();

    public sealed class ObjectName
    {
        public string Name { get; set; } = "";

        public string? Namespace { get; set; }

        public Dictionary<string, string> Labels { get; set; } = [];
    }

    public sealed class MonitorSpec
    {
        public string? JobLabel { get; set; }

        public LabelSelector Selector { get; set; } = new();

        public List<Endpoint> Endpoints { get; set; } = [];
    }

    public sealed class LabelSelector
    {
        public Dictionary<string, string> MatchLabels { get; set; } = [];
    }

    public sealed class Endpoint
    {
        public string Port { get; set; } = "";

        public string Path { get; set; } = "";

        public string? Interval { get; set; }

        public string? ScrapeTimeout { get; set; }
    }
}
