// The software bill of materials of the gateway (CycloneDX 1.6, JSON) from its lock file, without network:
//
//   dotnet run deploy/sbom.cs > proxygateway.cdx.json
//
// Lists every package the gateway is published with, by version and hash; licences come from the packages' own manifests where the
// package cache has them. The .NET runtime itself is one component: the base image (or the self-contained publish) brings it.
#:property PublishAot=false
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Xml.Linq;

var root = FindRoot(Environment.CurrentDirectory);
var cache = Environment.GetEnvironmentVariable("NUGET_PACKAGES")
    ?? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages");
var version = XDocument.Load(Path.Combine(root, "Directory.Build.props")).Descendants("Version").Single().Value;

var components = new SortedDictionary<string, JsonObject>(StringComparer.Ordinal);
var dependencies = new SortedDictionary<string, SortedSet<string>>(StringComparer.Ordinal) { ["proxygateway"] = new(StringComparer.Ordinal) };
var locked = JsonNode.Parse(File.ReadAllText(Path.Combine(root, "src", "ProxyGateway", "packages.lock.json")))!["dependencies"]!["net10.0"]!.AsObject();
foreach (var (name, entry) in locked)
{
    if (entry!["type"]!.GetValue<string>() == "Project")
    {
        AddDependencies("proxygateway", entry);
        continue;
    }

    // Builds with it, is not shipped.
    if (name is "Microsoft.NET.ILLink.Tasks" or "Microsoft.DotNet.ILCompiler")
    {
        continue;
    }

    var resolved = entry["resolved"]!.GetValue<string>();
    var reference = $"pkg:nuget/{name}@{resolved}";
    var component = new JsonObject
    {
        ["type"] = "library",
        ["bom-ref"] = reference,
        ["name"] = name,
        ["version"] = resolved,
        ["hashes"] = new JsonArray(new JsonObject { ["alg"] = "SHA-512", ["content"] = Convert.ToHexStringLower(Convert.FromBase64String(entry["contentHash"]!.GetValue<string>())) }),
        ["purl"] = reference,
    };
    if (License(name, resolved) is { } license)
    {
        component["licenses"] = new JsonArray(new JsonObject { ["expression"] = license });
    }

    components[reference] = component;
    AddDependencies(reference, entry);
    if (entry["type"]!.GetValue<string>() == "Direct")
    {
        dependencies["proxygateway"].Add(reference);
    }
}

components["uPlot"] = new JsonObject
{
    ["type"] = "library",
    ["bom-ref"] = "pkg:npm/uplot@1.6.32",
    ["name"] = "uplot",
    ["version"] = "1.6.32",
    ["description"] = "Embedded in the status page.",
    ["licenses"] = new JsonArray(new JsonObject { ["expression"] = "MIT" }),
    ["purl"] = "pkg:npm/uplot@1.6.32",
};
dependencies["proxygateway"].Add("pkg:npm/uplot@1.6.32");

var bom = new JsonObject
{
    ["bomFormat"] = "CycloneDX",
    ["specVersion"] = "1.6",
    ["version"] = 1,
    ["metadata"] = new JsonObject
    {
        ["component"] = new JsonObject
        {
            ["type"] = "application",
            ["bom-ref"] = "proxygateway",
            ["name"] = "proxygateway",
            ["version"] = version,
            ["licenses"] = new JsonArray(new JsonObject { ["expression"] = "MIT" }),
        },
    },
    ["components"] = new JsonArray([.. components.Values]),
    ["dependencies"] = new JsonArray([.. dependencies.Select(d => new JsonObject
    {
        ["ref"] = d.Key,
        ["dependsOn"] = new JsonArray([.. d.Value.Select(v => JsonValue.Create(v))]),
    })]),
};
Console.WriteLine(bom.ToJsonString(new JsonSerializerOptions(JsonSerializerOptions.Default) { WriteIndented = true }));

void AddDependencies(string from, JsonNode entry)
{
    var set = dependencies.TryGetValue(from, out var known) ? known : dependencies[from] = new(StringComparer.Ordinal);
    foreach (var (name, _) in entry["dependencies"]?.AsObject() ?? [])
    {
        // The lock file may have pruned what the framework brings, and writes project names in lower case.
        if (locked[name] is { } target && target["type"]!.GetValue<string>() != "Project")
        {
            set.Add($"pkg:nuget/{name}@{target["resolved"]}");
        }
    }
}

string? License(string name, string package)
{
    var folder = Path.Combine(cache, name.ToLowerInvariant(), package.ToLowerInvariant());
    var manifest = Path.Combine(folder, name.ToLowerInvariant() + ".nuspec");
    return File.Exists(manifest)
        ? XDocument.Load(manifest).Descendants().FirstOrDefault(e => e.Name.LocalName == "license" && e.Attribute("type")?.Value == "expression")?.Value
        : null;
}

static string FindRoot(string from)
{
    for (var folder = new DirectoryInfo(from); folder is not null; folder = folder.Parent)
    {
        if (File.Exists(Path.Combine(folder.FullName, "ProxyGateway.sln")))
        {
            return folder.FullName;
        }
    }

    throw new InvalidOperationException("Run it inside the repository.");
}
