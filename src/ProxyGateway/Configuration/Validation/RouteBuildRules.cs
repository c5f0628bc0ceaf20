using Microsoft.AspNetCore.Routing.Patterns;
using ProxyGateway.Configuration.Parsing;
using Yarp.ReverseProxy.Configuration;
using Yarp.ReverseProxy.Transforms.Builder;

namespace ProxyGateway.Configuration.Validation;

/// <summary>
/// What a start makes of a route, made for the trial: the constraints of its path and its transforms. YARP's validators
/// read both without making them, and what then fails in the running proxy is a configuration half taken on.
/// </summary>
internal sealed class RouteBuildRules(IServiceProvider services, DiagnosticBag diagnostics)
{
    /// <summary>ASP.NET Core's own; routing's list of them cannot be read in a trimmed program.</summary>
    private static readonly string[] s_constraints =
    [
        "alpha", "bool", "datetime", "decimal", "double", "file", "float", "guid", "int", "length", "long", "max", "maxlength", "min", "minlength", "nonfile", "range", "regex", "required",
    ];

    private readonly ParameterPolicyFactory _constraints = services.GetRequiredService<ParameterPolicyFactory>();
    private readonly ITransformBuilder _transforms = services.GetRequiredService<ITransformBuilder>();

    public void Check(SettingNode node, RouteConfig route, ClusterConfig? cluster)
    {
        if (node.Find("Match", "Path") is { IsScalar: true, Value.Length: > 0 } path)
        {
            CheckConstraints(path);
        }

        if (node["Transforms"] is { } transforms && Failure(route, cluster) is { } failure)
        {
            ReportTransform(transforms, route, cluster, failure);
        }
    }

    private void CheckConstraints(SettingNode path)
    {
        foreach (var parameter in RoutePatternFactory.Parse(path.Value!).Parameters)
        {
            foreach (var constraint in parameter.ParameterPolicies)
            {
                try
                {
                    _constraints.Create(parameter, constraint);
                }
                catch (Exception exception) when (exception is not OutOfMemoryException)
                {
                    diagnostics.Error(path, $"the constraint {constraint.Content} of {parameter.Name} cannot be used", Remedy(constraint.Content));
                }
            }
        }
    }

    private static string Remedy(string? constraint)
    {
        var name = constraint?.Split('(')[0] ?? "";
        return s_constraints.Contains(name, StringComparer.OrdinalIgnoreCase)
            ? "see its arguments in ASP.NET Core's documentation of route constraints"
            : NearMiss.Suggest(name, s_constraints, "constraints");
    }

    private void ReportTransform(SettingNode transforms, RouteConfig route, ClusterConfig? cluster, Exception failure)
    {
        var place = transforms;
        for (var i = 0; i < route.Transforms?.Count && place == transforms; i++)
        {
            if (Failure(route with { Transforms = [route.Transforms[i]] }, cluster) is { } own && i < transforms.Children.Count)
            {
                (place, failure) = (transforms.Children[i], own);
            }
        }

        diagnostics.KeyError(place, $"the transform cannot be made: {YarpRules.Clean(failure.Message)}", "see YARP's documentation of this transform");
    }

    private Exception? Failure(RouteConfig route, ClusterConfig? cluster)
    {
        try
        {
            _transforms.Build(route, cluster);
            return null;
        }
        catch (Exception exception) when (exception is not OutOfMemoryException)
        {
            return exception;
        }
    }
}
