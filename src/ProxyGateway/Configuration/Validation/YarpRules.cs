using ProxyGateway.Configuration.Catalogue;
using ProxyGateway.Configuration.Parsing;
using ProxyGateway.StreamingFallback.ChatFormats;
using ProxyGateway.StreamingFallback.Configuration;
using ProxyGateway.StreamingFallback.LoadBalancing;
using Yarp.ReverseProxy.Configuration;
using Yarp.ReverseProxy.LoadBalancing;

namespace ProxyGateway.Configuration.Validation;

/// <summary>
/// YARP's own judgement. Its readers and validators can only be had from a container, so each candidate gets one that
/// is thrown away: nothing of the running proxy is touched.
/// </summary>
internal static class YarpRules
{
    public static void Check(SettingNode root, IEnumerable<KeyValuePair<string, string?>> settings, ValidationContext context, DiagnosticBag diagnostics)
    {
        using var configuration = (ConfigurationRoot)new ConfigurationBuilder().AddInMemoryCollection(settings).Build();
        var services = new ServiceCollection();
        services.AddLogging();
        services.AddRoutingCore();
        var builder = services.AddReverseProxy().LoadFromConfig(configuration.GetSection("ReverseProxy"));
        services.AddSingleton(TimeProvider.System);
        services.AddSingleton<ILoadBalancingPolicy, FirstContentEwmaPolicy>();
        context.ConfigureYarp?.Invoke(builder);
        using var provider = services.BuildServiceProvider();

        IProxyConfig config;
        try
        {
            config = provider.GetRequiredService<IProxyConfigProvider>().GetConfig();
        }
        catch (Exception exception) when (exception is not OutOfMemoryException)
        {
            // A value YARP cannot read. The shape rules have named it already; this is for what they do not know.
            if (!diagnostics.HasErrorUnder("ReverseProxy"))
            {
                diagnostics.KeyError(root["ReverseProxy"]!, Clean(exception.Message), "see YARP's documentation of this section");
            }

            return;
        }

        var validator = provider.GetRequiredService<IConfigValidator>();
        foreach (var route in config.Routes)
        {
            Report(root.Find("ReverseProxy", "Routes", route.RouteId), validator.ValidateRouteAsync(route), diagnostics);
        }

        foreach (var cluster in config.Clusters)
        {
            Report(root.Find("ReverseProxy", "Clusters", cluster.ClusterId), validator.ValidateClusterAsync(cluster), diagnostics);
        }

        CheckBuilds(root, config, new RouteBuildRules(provider, diagnostics), diagnostics);
        if (!diagnostics.HasErrors)
        {
            CheckSettings(root, configuration, config.Routes, diagnostics);
        }
    }

    private static void CheckBuilds(SettingNode root, IProxyConfig config, RouteBuildRules rules, DiagnosticBag diagnostics)
    {
        foreach (var route in config.Routes)
        {
            // What is wrong already would only be said twice.
            if (root.Find("ReverseProxy", "Routes", route.RouteId) is { } node && !diagnostics.HasErrorUnder(node.Path))
            {
                rules.Check(node, route, config.Clusters.FirstOrDefault(c => c.ClusterId.Equals(route.ClusterId, StringComparison.OrdinalIgnoreCase)));
            }
        }
    }

    /// <summary>The library reads the candidate as it will when YARP loads it: what it refuses would leave a route out.</summary>
    private static void CheckSettings(SettingNode root, IConfiguration configuration, IReadOnlyList<RouteConfig> routes, DiagnosticBag diagnostics)
    {
        var reader = new SettingsReader(configuration.GetSection("ReverseProxy"), configuration);
        foreach (var route in routes)
        {
            var node = root.Find("ReverseProxy", "Routes", route.RouteId)!;
            if (!ChatFormatRegistry.Served.Contains(node.Find("StreamingFallback", "Format")?.Value ?? ChatFormatRegistry.None, StringComparer.OrdinalIgnoreCase))
            {
                continue;
            }

            try
            {
                reader.ReadRoute(route.RouteId, route.ClusterId);
                reader.ReadAgentRoute(route.RouteId, route.ClusterId);
            }
            catch (InvalidOperationException exception)
            {
                var message = Clean(exception.Message);
                diagnostics.KeyError(Named(root, message) ?? node, message, "see the configuration reference");
            }
        }
    }

    /// <summary>The library's sentences begin with the path, within ReverseProxy, of what they are about, which may be a cluster's.</summary>
    private static SettingNode? Named(SettingNode root, string message)
    {
        var end = message.IndexOf(": ", StringComparison.Ordinal);
        return end < 0 ? null : root["ReverseProxy"]?.Find(message[..end].Split(':'));
    }

    private static void Report(SettingNode? node, ValueTask<IList<Exception>> validation, DiagnosticBag diagnostics)
    {
        foreach (var error in validation.AsTask().GetAwaiter().GetResult())
        {
            var message = Clean(error.Message);
            if (node is null)
            {
                continue;
            }

            // Some of what YARP finds, ours has named already, and with its place.
            if ((message.StartsWith("Unknown transform", StringComparison.Ordinal) && diagnostics.HasErrorUnder($"{node.Path}:Transforms"))
                || (message.StartsWith("No address found", StringComparison.Ordinal) && diagnostics.HasErrorUnder($"{node.Path}:Destinations")))
            {
                continue;
            }

            var nearest = Nearest(node, message);
            if (nearest.IsScalar)
            {
                diagnostics.Error(nearest, message, Remedy(nearest, message));
            }
            else
            {
                diagnostics.KeyError(nearest, message, Remedy(nearest, message));
            }
        }
    }

    private static string Remedy(SettingNode node, string message)
    {
        if (message.Contains("requires Hosts or Path", StringComparison.Ordinal))
        {
            return "write \"Match\": { \"Path\": \"/v1/{**rest}\" }";
        }

        return node.Value is { } value && OptionCatalogue.Find(node.Path) is { Suggestions.Count: > 0 } option
            ? NearMiss.Suggest(value, option.Suggestions, "usual values")
            : "see YARP's documentation of this key";
    }

    /// <summary>YARP names no place; the child whose name or value its sentence quotes is the likeliest.</summary>
    private static SettingNode Nearest(SettingNode node, string message)
    {
        SettingNode? best = null;
        Search(node);
        return best ?? node;

        void Search(SettingNode parent)
        {
            foreach (var child in parent.Children)
            {
                if (child.Value is { Length: > 1 } value && message.Contains($"'{value}'", StringComparison.Ordinal))
                {
                    best ??= child;
                }

                Search(child);
            }
        }
    }

    /// <summary>A library's sentence as part of ours.</summary>
    public static string Clean(string message)
    {
        var text = message.ReplaceLineEndings(" ").Trim();
        var parameter = text.IndexOf(" (Parameter ", StringComparison.Ordinal);
        return (parameter < 0 ? text : text[..parameter]).TrimEnd('.');
    }
}
