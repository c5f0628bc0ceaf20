using System.Collections;
using System.Globalization;
using System.Reflection;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using ProxyGateway.Configuration;
using ProxyGateway.Configuration.Catalogue;
using ProxyGateway.StreamingFallback.Configuration;
using Xunit;
using Yarp.ReverseProxy.Configuration;
using Yarp.ReverseProxy.Forwarder;

namespace ProxyGateway.Tests.Configuration;

/// <summary>The catalogue says what the option classes say: names, kinds, defaults, choices, ranges and sentences.</summary>
public sealed partial class CatalogueTests
{
    private static readonly Lazy<Dictionary<string, string>> s_docs = new(ReadDocs);

    [Fact]
    public void GatewaySection_IsItsOptionsClass() => AssertSame(typeof(GatewayOptions), OptionCatalogue.Find("Gateway")!, withDocs: false);

    [Fact]
    public void StreamingFallbackSection_IsItsOptionsClass() =>
        AssertSame(typeof(StreamingFallbackOptions), OptionCatalogue.Find("StreamingFallback")!, withDocs: true);

    [Fact]
    public void RouteBlock_IsItsOptionsClass() =>
        AssertSame(typeof(RouteFallbackOptions), OptionCatalogue.Find("ReverseProxy:Routes:any:StreamingFallback")!, withDocs: true);

    [Fact]
    public void ClusterBlocks_AreTheirOptionsClass() =>
        AssertSame(typeof(ClusterFallbackOptions), Option.Block("cluster", "", [.. FallbackCatalogue.Cluster]), withDocs: true);

    [Theory]
    [InlineData(typeof(RouteConfig), "ReverseProxy:Routes:any", "RouteId")]
    [InlineData(typeof(RouteMatch), "ReverseProxy:Routes:any:Match", null)]
    [InlineData(typeof(RouteHeader), "ReverseProxy:Routes:any:Match:Headers:0", null)]
    [InlineData(typeof(RouteQueryParameter), "ReverseProxy:Routes:any:Match:QueryParameters:0", null)]
    [InlineData(typeof(ClusterConfig), "ReverseProxy:Clusters:any", "ClusterId")]
    [InlineData(typeof(DestinationConfig), "ReverseProxy:Clusters:any:Destinations:a", null)]
    [InlineData(typeof(SessionAffinityConfig), "ReverseProxy:Clusters:any:SessionAffinity", null)]
    [InlineData(typeof(SessionAffinityCookieConfig), "ReverseProxy:Clusters:any:SessionAffinity:Cookie", null)]
    [InlineData(typeof(HealthCheckConfig), "ReverseProxy:Clusters:any:HealthCheck", null)]
    [InlineData(typeof(ActiveHealthCheckConfig), "ReverseProxy:Clusters:any:HealthCheck:Active", null)]
    [InlineData(typeof(PassiveHealthCheckConfig), "ReverseProxy:Clusters:any:HealthCheck:Passive", null)]
    [InlineData(typeof(HttpClientConfig), "ReverseProxy:Clusters:any:HttpClient", null)]
    [InlineData(typeof(WebProxyConfig), "ReverseProxy:Clusters:any:HttpClient:WebProxy", null)]
    [InlineData(typeof(ForwarderRequestConfig), "ReverseProxy:Clusters:any:HttpRequest", null)]
    public void YarpBlock_HasTheKeysOfYarpsClass(Type type, string path, string? key)
    {
        var expected = Properties(type).Select(p => p.Name).Where(n => n != key && n != "Extensions").Order(StringComparer.Ordinal);
        var actual = OptionCatalogue.Find(path)!.Children.Where(c => c.IsYarp).Select(c => c.Name).Order(StringComparer.Ordinal);

        Assert.Equal(expected, actual);
    }

    private static IEnumerable<PropertyInfo> Properties(Type type) =>
        type.GetProperties(BindingFlags.Public | BindingFlags.Instance).Where(p => p.CanWrite);

    private static void AssertSame(Type type, OptionNode node, bool withDocs)
    {
        var instance = Activator.CreateInstance(type)!;
        Assert.Equal(Properties(type).Select(p => p.Name), node.Children.Select(c => c.Name), NamesInAnyOrder);
        foreach (var property in Properties(type))
        {
            var option = node.Child(property.Name)!;
            var inner = Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType;
            Assert.Equal((property.Name, KindOf(inner)), (property.Name, Comparable(option.Kind)));
            if (option.Kind == OptionKind.Block)
            {
                AssertSame(inner, option, withDocs);
            }
            else if (option.Kind == OptionKind.List && option.Item!.Kind == OptionKind.Block)
            {
                AssertSame(inner.GetGenericArguments()[0], option.Item, withDocs);
            }
            else if (property.Name != "Format")
            {
                Assert.Equal((property.Name, DefaultOf(property.GetValue(instance), option)), (property.Name, option.Default));
            }

            if (inner.IsEnum)
            {
                Assert.Equal(Enum.GetNames(inner), option.Choices);
            }

            if (withDocs)
            {
                Assert.Equal(s_docs.Value[$"P:{type.FullName}.{property.Name}"], Sentence(option));
            }
        }
    }

    /// <summary>What the doc comment of the option must say.</summary>
    private static string Sentence(OptionNode option)
    {
        var text = option.Description;
        text += option.IsRequired ? " Required." : "";
        text += (option.DefaultText ?? option.Default) is { } standard ? $" Default: {standard}." : "";
        return option.RangeText is { } range ? $"{text} Range: {range}." : text;
    }

    private static OptionKind KindOf(Type type) => type switch
    {
        _ when type == typeof(bool) => OptionKind.Flag,
        _ when type == typeof(int) || type == typeof(long) => OptionKind.Count,
        _ when type == typeof(double) => OptionKind.Share,
        _ when type == typeof(TimeSpan) => OptionKind.Time,
        _ when type == typeof(string) => OptionKind.Text,
        _ when type.IsEnum => OptionKind.Text,
        _ when typeof(IDictionary).IsAssignableFrom(type) => OptionKind.Map,
        _ when typeof(IList).IsAssignableFrom(type) => OptionKind.List,
        _ => OptionKind.Block,
    };

    private static OptionKind Comparable(OptionKind kind) => kind == OptionKind.Choice ? OptionKind.Text : kind;

    private static string? DefaultOf(object? value, OptionNode option) => value switch
    {
        null or "" => null,
        bool flag => flag ? "true" : "false",
        TimeSpan time => DurationText.Format(time),
        double number => NumberText.Format(number),
        IEnumerable and not string => option.Default,
        _ => Convert.ToString(value, CultureInfo.InvariantCulture),
    };

    private static bool NamesInAnyOrder(IEnumerable<string> a, IEnumerable<string> b) => a.Order(StringComparer.Ordinal).SequenceEqual(b.Order(StringComparer.Ordinal));

    private static Dictionary<string, string> ReadDocs()
    {
        var file = Path.ChangeExtension(typeof(StreamingFallbackOptions).Assembly.Location, ".xml");
        return XDocument.Load(file).Descendants("member")
            .Where(m => m.Element("summary") is not null)
            .ToDictionary(m => m.Attribute("name")!.Value, m => Plain(m.Element("summary")!));
    }

    private static string Plain(XElement summary)
    {
        var text = string.Concat(summary.Nodes().Select(n => n switch
        {
            XElement { Name.LocalName: "c" } code => $"`{code.Value}`",
            XElement { Name.LocalName: "see" } see => $"`{see.Attribute("cref")!.Value.Split('.')[^1]}`",
            _ => n.ToString(),
        }));
        return Spaces().Replace(System.Net.WebUtility.HtmlDecode(text), " ").Trim();
    }

    [GeneratedRegex("\\s+")]
    private static partial Regex Spaces();
}
