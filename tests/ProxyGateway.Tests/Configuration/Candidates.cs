using System.Text;
using ProxyGateway.Configuration.Merging;
using ProxyGateway.Configuration.Reload;
using ProxyGateway.Configuration.Validation;

namespace ProxyGateway.Tests.Configuration;

/// <summary>Candidates from text, without a disk.</summary>
internal static class Candidates
{
    public const string OneAgent = """
        {
          "ReverseProxy": {
            "Routes": {
              "chat": {
                "ClusterId": "agent",
                "Match": { "Path": "/v1/chat/completions" },
                "StreamingFallback": { "Format": "openai-chat" }
              }
            },
            "Clusters": { "agent": { "Destinations": { "a": { "Address": "http://127.0.0.1:3456" } } } }
          }
        }
        """;

    public static ConfigurationCandidate Of(
        string text,
        IReadOnlyDictionary<string, string>? environment = null,
        IReadOnlyList<string>? arguments = null,
        IReadOnlyList<SecretFile>? secrets = null,
        ValidationContext? context = null)
    {
        var inputs = new ConfigurationInputs { File = "test.json", Environment = environment ?? new Dictionary<string, string>(), Arguments = arguments ?? [] };
        var raw = new RawConfiguration(Encoding.UTF8.GetBytes(text), null, secrets ?? [], null, "");
        return new CandidateBuilder(inputs, context ?? new ValidationContext()).Build(raw);
    }
}
