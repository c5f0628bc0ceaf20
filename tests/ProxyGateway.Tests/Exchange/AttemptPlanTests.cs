using Microsoft.Extensions.Configuration;
using ProxyGateway.StreamingFallback.ChatFormats;
using ProxyGateway.StreamingFallback.Configuration;
using ProxyGateway.StreamingFallback.Exchange;
using Xunit;

namespace ProxyGateway.Tests.Exchange;

/// <summary>Which clusters are asked for which model, from the configuration that says so. "+" marks a fallback, "=" the model it is asked for.</summary>
public sealed class AttemptPlanTests
{
    private const string Route = "Routes:chat:StreamingFallback";

    private static readonly string[] Standing =
    [
        $"{Route}:Format=openai-chat", "Clusters:second:Destinations:a:Address=http://second", "Clusters:third:Destinations:a:Address=http://third",
    ];

    private static readonly Dictionary<string, (string[] Configuration, string? Model, string? Plan)> Table = new()
    {
        ["the route's cluster alone"] = ([], "gpt", "agent"),
        ["then its fallbacks, in order"] = (
            ["Clusters:agent:Fallback:0:Cluster=second", "Clusters:agent:Fallback:1:Cluster=third"], "gpt", "agent +second +third"),
        ["a fallback's own fallbacks are not followed"] = (
            ["Clusters:agent:Fallback:0:Cluster=second", "Clusters:second:Fallback:0:Cluster=third"], "gpt", "agent +second"),
        ["no cluster is asked twice"] = (
            [
                "Clusters:agent:Fallback:0:Cluster=agent", "Clusters:agent:Fallback:1:Cluster=second",
                "Clusters:agent:Fallback:2:Cluster=SECOND", "Clusters:agent:Fallback:2:Model=other", "Clusters:agent:Fallback:3:Cluster=third",
            ],
            "gpt",
            "agent +second +third"),
        ["recovery is off for the route"] = ([$"{Route}:Enabled=false", "Clusters:agent:Fallback:0:Cluster=second"], "gpt", "agent"),

        ["a pattern's cluster and its fallbacks, not the route's"] = (
            [$"{Route}:Models:gemini-*=third", "Clusters:third:Fallback:0:Cluster=second", "Clusters:agent:Fallback:0:Cluster=agent"],
            "gemini-2",
            "third +second"),
        // Without a file's order the more specific one is the first.
        ["the first of the patterns that match"] = ([$"{Route}:Models:g*=second", $"{Route}:Models:ge*=third"], "gemini-2", "third"),
        ["no pattern matches"] = ([$"{Route}:Models:gemini-*=third"], "gpt", "agent"),
        ["no pattern matches, and such models are refused"] = ([$"{Route}:Models:gemini-*=third", $"{Route}:UnknownModel=Reject"], "gpt", null),
        ["no model, and unknown ones are refused"] = ([$"{Route}:Models:*=third", $"{Route}:UnknownModel=Reject"], null, null),
        ["no model, and unknown ones are not refused"] = ([$"{Route}:Models:*=third"], null, "agent"),
        ["a pattern matches where others are refused"] = ([$"{Route}:Models:gemini-*=third", $"{Route}:UnknownModel=Reject"], "gemini-2", "third"),
        ["no patterns, so no model is unknown"] = ([$"{Route}:UnknownModel=Reject"], "gpt", "agent"),

        ["an alias, in any case"] = ([$"{Route}:ModelAliases:fast=gemini-2"], "FAST", "agent=gemini-2"),
        ["patterns see what the alias stands for"] = ([$"{Route}:ModelAliases:fast=gemini-2", $"{Route}:Models:gemini-*=third"], "fast", "third=gemini-2"),
        ["an alias of itself leaves the client's word"] = ([$"{Route}:ModelAliases:gpt=gpt"], "gpt", "agent"),
        ["an alias that the cluster maps back leaves the client's word"] = (
            [$"{Route}:ModelAliases:fast=gemini-2", "Clusters:agent:ModelMap:gemini-2=fast"], "fast", "agent"),

        ["each cluster has names of its own"] = (
            ["Clusters:agent:ModelMap:gpt=local", "Clusters:agent:Fallback:0:Cluster=second", "Clusters:second:ModelMap:other=more"],
            "gpt",
            "agent=local +second"),
        ["a fallback with a model"] = (
            ["Clusters:agent:Fallback:0:Cluster=second", "Clusters:agent:Fallback:0:Model=big"], "gpt", "agent +second=big"),
        ["a fallback's model goes through its cluster's names"] = (
            ["Clusters:agent:Fallback:0:Cluster=second", "Clusters:agent:Fallback:0:Model=big", "Clusters:second:ModelMap:big=big-v2"],
            "gpt",
            "agent +second=big-v2"),
        ["a fallback's model that the client asked for"] = (
            ["Clusters:agent:Fallback:0:Cluster=second", "Clusters:agent:Fallback:0:Model=gpt"], "gpt", "agent +second"),
        ["no model in the request, one for the fallback"] = (
            ["Clusters:agent:Fallback:0:Cluster=second", "Clusters:agent:Fallback:0:Model=big"], null, "agent +second=big"),
    };

    public static TheoryData<string> Rows => [.. Table.Keys];

    [Theory]
    [MemberData(nameof(Rows))]
    public void Configuration_Plan(string row)
    {
        var (configuration, model, plan) = Table[row];
        Assert.Equal(plan, Describe(Plan(configuration, model)));
    }

    private static string? Describe(IReadOnlyList<PlannedCluster>? plan) =>
        plan is null ? null : string.Join(' ', plan.Select(p => $"{(p.IsFallback ? "+" : "")}{p.Settings.ClusterId}{(p.Model is { } model ? $"={model}" : "")}"));

    private static IReadOnlyList<PlannedCluster>? Plan(string[] configuration, string? model)
    {
        var root = new ConfigurationBuilder()
            .AddInMemoryCollection(configuration.Concat(Standing).Select(line => line.Split('='))
                .Select(pair => KeyValuePair.Create($"ReverseProxy:{pair[0]}", (string?)pair[1])))
            .Build();
        var route = new SettingsReader(root.GetSection("ReverseProxy"), root).ReadRoute("chat", "agent")!;
        return AttemptPlan.For(route, new ChatRequest { Streaming = true, Model = model });
    }
}
