using ProxyGateway.Configuration.Catalogue;
using ProxyGateway.Configuration.Parsing;

namespace ProxyGateway.Configuration.Validation;

/// <summary>All rules over one merged tree; each adds its findings and none stops the others.</summary>
internal static class ConfigurationValidator
{
    public static void Validate(
        SettingNode root,
        IEnumerable<KeyValuePair<string, string?>> settings,
        ValidationContext context,
        DiagnosticBag diagnostics)
    {
        CheckOwnRules(root, context, diagnostics);
        YarpRules.Check(root, settings, context, diagnostics);
    }

    /// <summary>All but YARP's own judgement, which costs a container of services.</summary>
    public static void CheckOwnRules(SettingNode root, ValidationContext context, DiagnosticBag diagnostics)
    {
        ShapeRules.Check(root, OptionCatalogue.Root, diagnostics);

        var model = GatewayModel.Of(root);
        ReferenceRules.Check(model, diagnostics);
        FormatRules.Check(model, context, diagnostics);
        AgentApiRules.Check(model, diagnostics);
        ClusterRules.Check(model, diagnostics);
        RouteOverlapRules.Check(model, diagnostics);
        HostRules.Check(model, diagnostics);
        ListenRules.Check(model, context, diagnostics);
        TimeoutRules.Check(model, diagnostics);
        MemoryRules.Check(model, diagnostics);
        BackplaneRules.Check(root, context, diagnostics);
        BreakerRules.Check(model, diagnostics);
        HedgingRules.Check(model, diagnostics);
        HostFeatureRules.Check(model, root, diagnostics);
        LoggingRules.Check(root, diagnostics);
        SecretRules.Check(root, diagnostics);
    }
}
