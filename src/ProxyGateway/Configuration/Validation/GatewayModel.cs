using System.Globalization;
using ProxyGateway.Configuration.Catalogue;
using ProxyGateway.Configuration.Parsing;
using ProxyGateway.StreamingFallback.Configuration;

namespace ProxyGateway.Configuration.Validation;

/// <summary>The tree as routes and clusters, for the rules that compare settings with each other.</summary>
internal sealed class GatewayModel
{
    private GatewayModel(SettingNode root)
    {
        Root = root;
        Clusters = [.. Blocks(root.Find("ReverseProxy", "Clusters")).Select(n => new ClusterModel(n))];
        Routes = [.. Blocks(root.Find("ReverseProxy", "Routes")).Select(n => new RouteModel(n))];
    }

    public SettingNode Root { get; }

    public IReadOnlyList<RouteModel> Routes { get; }

    public IReadOnlyList<ClusterModel> Clusters { get; }

    public static GatewayModel Of(SettingNode root) => new(root);

    public ClusterModel? Cluster(string? id) => Clusters.FirstOrDefault(c => c.Id.Equals(id, StringComparison.OrdinalIgnoreCase));

    private static IEnumerable<SettingNode> Blocks(SettingNode? node) => node?.Children.Where(c => c.Kind == SettingKind.Object) ?? [];
}

internal sealed class RouteModel(SettingNode node)
{
    public SettingNode Node { get; } = node;

    public string Id => Node.Name;

    public SettingNode? ClusterId => Node["ClusterId"];

    public string Format => Node.Find("StreamingFallback", "Format")?.Value ?? ChatFormatNames.None;

    public bool IsGuarded => !Format.Equals(ChatFormatNames.None, StringComparison.OrdinalIgnoreCase);

    public IReadOnlyList<SettingNode> Models => Node.Find("StreamingFallback", "Models")?.Children ?? [];

    public int Order => int.TryParse(Node["Order"]?.Value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var order) ? order : 0;
}

internal sealed class ClusterModel(SettingNode node)
{
    public SettingNode Node { get; } = node;

    public string Id => Node.Name;

    public IReadOnlyList<SettingNode> Destinations => Node["Destinations"]?.Children ?? [];

    /// <summary>The <c>Cluster</c> values of the fallback list.</summary>
    public IEnumerable<SettingNode> Fallback => Node["Fallback"]?.Children.Select(c => c["Cluster"]).OfType<SettingNode>().Where(c => c.IsScalar) ?? [];

    public TimeSetting Time(string block, string name) => TimeSetting.Read(Node, block, name, FallbackCatalogue.Cluster.First(o => o.Name == block));
}

/// <summary>A duration as it will be used, and the node it was written in, if it was.</summary>
internal readonly record struct TimeSetting(TimeSpan Value, SettingNode? Node)
{
    public bool IsWritten => Node is not null;

    public string Text => DurationText.Format(Value);

    public static TimeSetting Read(SettingNode? parent, string block, string name, OptionNode options)
    {
        var written = parent?.Find(block, name);
        if (written is { IsScalar: true } && DurationText.TryParse(written.Value, out var time))
        {
            return new TimeSetting(time, written);
        }

        return DurationText.TryParse(options.Child(name)!.Default, out var standard) ? new TimeSetting(standard, null) : default;
    }
}
