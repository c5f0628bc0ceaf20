using System.Collections.Frozen;
using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.Configuration;
using ProxyGateway.StreamingFallback.ChatFormats;
using ProxyGateway.StreamingFallback.ModelList;

namespace ProxyGateway.StreamingFallback.Configuration;

/// <summary>
/// Reads this library's options out of a configuration and makes settings of them. Throws <see cref="InvalidOperationException"/>
/// with the key and the reason where a value cannot be used; YARP then keeps the routes it has.
/// </summary>
/// <param name="proxySection">YARP's section.</param>
/// <param name="root">The configuration around it.</param>
/// <param name="isLoadedElsewhere">Whether YARP has a cluster of this id that <paramref name="proxySection"/> does not.</param>
internal sealed class SettingsReader(IConfiguration proxySection, IConfiguration root, Func<string, bool>? isLoadedElsewhere = null)
{
    public LimitSettings ReadLimits()
    {
        var options = ReadGlobal();
        return LimitSettings.From(options);
    }

    /// <summary>The settings of a chat route; null where it is none.</summary>
    public RouteSettings? ReadRoute(string routeId, string? clusterId)
    {
        var path = $"Routes:{routeId}:StreamingFallback";
        var options = new RouteFallbackOptions();
        proxySection.GetSection(path).Bind(options);
        if (string.Equals(options.Format, ChatFormatRegistry.None, StringComparison.OrdinalIgnoreCase) || IsAgentApi(options))
        {
            return null;
        }

        var format = ChatFormatRegistry.Find(options.Format)
            ?? throw new InvalidOperationException($"{path}:Format: '{options.Format}' is no chat format; one of {string.Join(", ", ChatFormatRegistry.Served)}, {ChatFormatRegistry.None}.");
        RequireCluster(routeId, clusterId);
        var global = ReadGlobal();
        var block = new OptionBlock(path);
        var clusters = new Dictionary<string, ClusterSettings>(StringComparer.OrdinalIgnoreCase);
        return new RouteSettings
        {
            RouteId = routeId,
            Format = format,
            RecoveryEnabled = options.Enabled && global.Enabled,
            Replay = options.Replay is { } replay ? block.Defined(replay, nameof(options.Replay)) : format.DefaultReplay,
            NamesReplay = options.Replay is not null,
            ResponseFormat = block.Defined(options.ResponseFormat),
            OnMidStreamFailure = block.Defined(options.OnMidStreamFailure),
            // In file order: the configuration's own enumeration is sorted.
            Models = [.. ModelsInFileOrder(path).Select(m => new ModelRoute(new ModelPattern(m.Pattern), ReadNamed(m.Cluster, $"{path}:Models:{m.Pattern}", clusters)))],
            UnknownModel = block.Defined(options.UnknownModel),
            ModelAliases = Names($"{path}:ModelAliases"),
            Cluster = ReadCluster(clusterId, clusters),
            Limits = LimitSettings.From(global),
        };
    }

    /// <summary>The settings of a route of format <c>agentapi</c>; null where it is none.</summary>
    public AgentRouteSettings? ReadAgentRoute(string routeId, string? clusterId)
    {
        var options = new RouteFallbackOptions();
        proxySection.GetSection($"Routes:{routeId}:StreamingFallback").Bind(options);
        if (!IsAgentApi(options))
        {
            return null;
        }

        RequireCluster(routeId, clusterId);
        var global = ReadGlobal();
        return new AgentRouteSettings(
            routeId,
            ReadCluster(clusterId, new Dictionary<string, ClusterSettings>(StringComparer.OrdinalIgnoreCase)),
            LimitSettings.From(global),
            options.Enabled && global.Enabled);
    }

    /// <summary>What a route that lists models says; null where it is none.</summary>
    public ModelListSettings? ReadModelList(string routeId)
    {
        var options = new RouteFallbackOptions();
        proxySection.GetSection($"Routes:{routeId}:StreamingFallback").Bind(options);
        return options.ListModels.Count == 0
            ? null
            : new ModelListSettings(
                routeId,
                [.. options.ListModels],
                [.. proxySection.GetSection("Routes").GetChildren()
                    .SelectMany(r => Names($"Routes:{r.Key}:StreamingFallback:ModelAliases").Keys)
                    .Distinct(StringComparer.OrdinalIgnoreCase)]);
    }

    public ClusterFallbackOptions ReadClusterOptions(string clusterId)
    {
        var options = new ClusterFallbackOptions();
        proxySection.GetSection($"Clusters:{clusterId}").Bind(options);
        return options;
    }

    private StreamingFallbackOptions ReadGlobal()
    {
        var options = new StreamingFallbackOptions();
        root.GetSection("StreamingFallback").Bind(options);
        if ((Switch("AGENT_FALLBACK_ENABLED") ?? Switch("FALLBACK_ENABLED")) is { } enabled)
        {
            options.Enabled = enabled;
        }

        return options;
    }

    private static bool IsAgentApi(RouteFallbackOptions options) => string.Equals(options.Format, ChatFormatNames.AgentApi, StringComparison.OrdinalIgnoreCase);

    private static void RequireCluster(string routeId, [NotNull] string? clusterId)
    {
        if (string.IsNullOrEmpty(clusterId))
        {
            throw new InvalidOperationException($"Routes:{routeId}:ClusterId: a guarded route needs a cluster.");
        }
    }

    private bool? Switch(string name) => root[name]?.Trim().ToLowerInvariant() switch
    {
        null or "" => null,
        "true" or "1" or "on" or "yes" => true,
        "false" or "0" or "off" or "no" => false,
        _ => throw new InvalidOperationException($"{name}: neither true nor false."),
    };

    private ClusterSettings ReadCluster(string clusterId, Dictionary<string, ClusterSettings> known)
    {
        if (known.TryGetValue(clusterId, out var settings))
        {
            return settings;
        }

        var options = ReadClusterOptions(clusterId);
        settings = ClusterSettings.From(clusterId, options, Names($"Clusters:{clusterId}:ModelMap"));
        known.Add(clusterId, settings);
        settings.Link([.. options.Fallback.Select((f, i) => new FallbackTarget(ReadNamed(f.Cluster, $"Clusters:{clusterId}:Fallback:{i}:Cluster", known), f.Model))]);
        return settings;
    }

    /// <summary>A cluster that an option names. One that is not there would be passed over in silence whenever it is needed.</summary>
    private ClusterSettings ReadNamed(string clusterId, string option, Dictionary<string, ClusterSettings> known) =>
        clusterId.Length > 0 && (proxySection.GetSection($"Clusters:{clusterId}").Exists() || isLoadedElsewhere?.Invoke(clusterId) == true)
            ? ReadCluster(clusterId, known)
            : throw new InvalidOperationException($"{option}: there is no cluster '{clusterId}'.");

    /// <summary>Names may hold colons, which the binder takes for levels.</summary>
    private FrozenDictionary<string, string> Names(string path) => FileOrder.Values(root, proxySection.GetSection(path))
        .ToFrozenDictionary(v => v.Item1, v => v.Item2, StringComparer.OrdinalIgnoreCase);

    private IEnumerable<(string Pattern, string Cluster)> ModelsInFileOrder(string path) =>
        FileOrder.Values(root, proxySection.GetSection($"{path}:Models"));
}
