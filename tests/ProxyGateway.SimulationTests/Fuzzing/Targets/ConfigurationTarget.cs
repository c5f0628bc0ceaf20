using System.Text;
using System.Text.Json;
using ProxyGateway.Configuration.Merging;
using ProxyGateway.Configuration.Parsing;
using ProxyGateway.Configuration.Reload;
using ProxyGateway.Configuration.Validation;
using ProxyGateway.TestKit.Data;

namespace ProxyGateway.SimulationTests.Fuzzing.Targets;

/// <summary>
/// Configuration files: whatever is written, the judgement is a list of findings, each with its place, its path and a remedy, and
/// never an exception. What only looks different (spaces, comments, escapes) is as valid as before.
/// </summary>
internal sealed class ConfigurationTarget : FuzzTarget
{
    /// <summary>YARP's own validators take a container of services, a thousand times the rest.</summary>
    private const int OneWithYarpIn = 1000;

    private static readonly ConfigurationInputs Inputs = new() { File = "test.json" };

    private static readonly ValidationContext Context = new();

    private static readonly byte[][] Texts = Of(
        "\"::\"", "\"http://\"", "\"http://[\"", "\"http://127.0.0.1:99999\"", "\"ftp://x\"", "\"00:00:99\"", "\"-00:00:01\"", "\"99999999.00:00:00\"", "\"00:00:00.0000001\"", "\"Safe\"", "\"safe\"", "\"Never\"",
        "\"openai-chat\"", "\"agentapi\"", "\"none\"", "\"*\"", "\"a*b*c\"", "\"/{**rest}\"", "\"/{\"", "\"{a}{a}\"", "\"/v1/chat/completions\"", "\"ccrouter\"", "\"droid\"", "{\"a:b\":1}", "{\"0\":{\"Cluster\":{}}}", "{\"A\":1,\"a\":2}",
        "[ { \"Cluster\": \"droid\" } ]", "[ 408, 429 ]", "[ 99, 1000 ]", "0.2", "1e308", "-0.0", "2147483648", "\"true\"", "\"\uFEFF\"", "\"\\u0000\"");

    private static readonly byte[][] Keys = Of(
        "\"StreamingFallback\"", "\"CircuitBreaker\"", "\"Fallback\"", "\"Cluster\"", "\"Model\"", "\"Models\"", "\"Timeouts\"", "\"Retry\"", "\"Budget\"", "\"Statuses\"", "\"Destinations\"", "\"Address\"", "\"Match\"", "\"Path\"",
        "\"Hosts\"", "\"Transforms\"", "\"ClusterId\"", "\"Format\"", "\"Replay\"", "\"Hedging\"", "\"Concurrency\"", "\"Credentials\"", "\"HealthCheck\"", "\"LoadBalancingPolicy\"", "\"SessionAffinity\"", "\"Gateway\"", "\"Listen\"",
        "\"ManagementListen\"", "\"ReverseProxy\"", "\"Routes\"", "\"Clusters\"", "\"\"", "\"a:b\"", "\"a__b\"", "\"0\"", "\"routes\"", "\"Certificate\"", "\"HttpClient\"", "\"HttpRequest\"", "\"Enabled\"", "\"Order\"");

    private static readonly byte[][] Samples = [.. Files().Select(File.ReadAllBytes)];

    public override string Name => "configuration";

    public override int ShortRuns => 500;

    public override FuzzInput Make(FuzzRandom random)
    {
        var sample = random.Pick(Samples);
        if (random.OneIn(10))
        {
            // Only the choices matter: the sample is dressed up by Check.
            return new FuzzInput(random.Next() | 1, sample);
        }

        for (var changes = 1 + random.Below(3); changes > 0; changes--)
        {
            sample = random.Below(3) switch
            {
                0 => JsonMutator.Change(sample, random.Pick(Samples), random, Texts, Keys),
                1 => JsonMutator.Change(sample, random.Pick(Samples), random),
                _ => random.OneIn(4) ? Mutator.Bytes(sample, random) : JsonMutator.Change(sample, random.Pick(Samples), random, Texts, Keys),
            };
        }

        return new FuzzInput(random.Next() & ~1UL, sample);
    }

    public override string? Check(FuzzInput input)
    {
        var random = input.Random;
        var isDressed = (input.Choices & 1) == 1 && Array.Exists(Samples, s => ReferenceEquals(s, input.Parts[0]));
        var text = isDressed ? Dressed(input.Parts[0], random) : input.Parts[0];
        var findings = random.OneIn(OneWithYarpIn) ? Whole(text) : Own(text);
        foreach (var finding in findings)
        {
            if (finding is not { Path.Length: > 0, What.Length: > 0, Remedy.Length: > 0, Origin.Source.Length: > 0 })
            {
                return $"a finding does not say where, what or what else: {finding}";
            }

            if (finding.What.StartsWith("could not be judged", StringComparison.Ordinal))
            {
                return $"a rule threw: {finding.What}";
            }

            if (finding.Path != "(file)" && finding.Origin.Source == Inputs.File && finding.Origin.Line <= 0)
            {
                return $"a finding without its line: {finding}";
            }
        }

        return isDressed && findings.FirstOrDefault(f => f.Severity == Severity.Error) is { } error ? $"a valid file that only looks different is refused: {error}" : null;
    }

    private static IReadOnlyList<Diagnostic> Whole(byte[] text) =>
        new CandidateBuilder(Inputs, Context).Build(new RawConfiguration(text, null, [], null, "")).Diagnostics;

    /// <summary>All rules but YARP's, which the host runs after them.</summary>
    private static IReadOnlyList<Diagnostic> Own(byte[] text)
    {
        var diagnostics = new DiagnosticBag();
        var root = SettingsParser.Parse(text, Inputs.File, diagnostics);
        if (!diagnostics.HasErrors || root.Children.Count > 0)
        {
            SettingsMerger.Merge(root, Inputs, [], diagnostics);
            ConfigurationSnapshot.Of(root);
            ConfigurationValidator.CheckOwnRules(root, Context, diagnostics);
        }

        return diagnostics.Sorted();
    }

    /// <summary>The same settings, written otherwise.</summary>
    private static byte[] Dressed(byte[] sample, FuzzRandom random)
    {
        List<byte> text = random.OneIn(2) ? [.. Encoding.UTF8.Preamble] : [];
        var reader = new Utf8JsonReader(sample, new JsonReaderOptions { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true });
        var needsComma = false;
        while (reader.Read())
        {
            var closes = reader.TokenType is JsonTokenType.EndObject or JsonTokenType.EndArray;
            if (needsComma && (!closes || random.OneIn(2)))
            {
                text.Add((byte)',');
            }

            text.AddRange(random.Pick(Between));
            text.AddRange(reader.TokenType is JsonTokenType.String or JsonTokenType.PropertyName ? Quoted(reader.GetString()!, random) : reader.ValueSpan);
            if (reader.TokenType == JsonTokenType.PropertyName)
            {
                text.AddRange(" :"u8);
            }

            needsComma = reader.TokenType is not (JsonTokenType.StartObject or JsonTokenType.StartArray or JsonTokenType.PropertyName);
        }

        return [.. text, .. random.Pick(Between)];
    }

    private static readonly byte[][] Between = Of("", " ", "\n", "\r\n\t", "/* c } */", "// \" c\n", "\n\n");

    private static byte[] Quoted(string text, FuzzRandom random) =>
        Encoding.UTF8.GetBytes($"\"{string.Concat(text.Select(c => c is '"' or '\\' or < ' ' || random.OneIn(20) ? $"\\u{(int)c:x4}" : c.ToString()))}\"");

    private static IEnumerable<string> Files()
    {
        var root = SharedData.RepositoryRoot(AppContext.BaseDirectory)!;
        // One is whole only with the secrets beside it.
        return Directory.GetFiles(Path.Combine(root, "config"), "*.json").Where(f => !f.EndsWith("schema.json", StringComparison.Ordinal) && Path.GetFileName(f) != "secrets.json").Order(StringComparer.Ordinal).Append(Path.Combine(root, "appsettings.json"));
    }

    private static byte[][] Of(params string[] texts) => [.. texts.Select(Encoding.UTF8.GetBytes)];
}
