using System.Diagnostics;
using System.Text.Json.Nodes;
using ProxyGateway.IntegrationTests.Clients.Judging;

namespace ProxyGateway.IntegrationTests.Clients;

/// <summary>A coding agent without its screen.</summary>
internal abstract class CodingAgent(string package, bool ownRetries)
{
    public static IReadOnlyList<CodingAgent> All { get; } = [new ClaudeCode(ownRetries: false), new ClaudeCode(ownRetries: true), new Codex(ownRetries: false), new Codex(ownRetries: true)];

    public static string Folder { get; } = Path.Combine(ClientTable.RepositoryRoot, "tests", "clients", "agents");

    /// <summary>Whether it asks again by itself, as it is shipped.</summary>
    public bool OwnRetries => ownRetries;

    public string Name => $"{package} {Version()}, {(ownRetries ? "as shipped" : "its own retries off")}";

    /// <summary>The program, set up to ask <paramref name="gateway"/>; <paramref name="home"/> is an empty folder of its own.</summary>
    public ProcessStartInfo Start(Uri gateway, string home, string prompt)
    {
        var start = new ProcessStartInfo { WorkingDirectory = home, RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        // Nothing of this machine's own accounts, and no way out but the loopback.
        start.Environment.Clear();
        start.Environment["PATH"] = Environment.GetEnvironmentVariable("PATH");
        start.Environment["HOME"] = home;
        start.Environment["TMPDIR"] = home;
        start.Environment["HTTP_PROXY"] = start.Environment["HTTPS_PROXY"] = "http://127.0.0.1:9";
        start.Environment["NO_PROXY"] = "127.0.0.1";
        Configure(start, gateway, home);
        start.ArgumentList.Add(prompt);
        return start;
    }

    /// <summary>Everything that the agent says at the end; null where it says that it failed.</summary>
    public abstract string? ReadText(IReadOnlyList<JsonNode> output);

    protected static string Program(string name) => Path.Combine(Folder, "node_modules", ".bin", name);

    protected abstract void Configure(ProcessStartInfo start, Uri gateway, string home);

    private string Version() => JsonNode.Parse(File.ReadAllText(Path.Combine(Folder, "node_modules", package, "package.json")))!["version"]!.GetValue<string>();
}

internal sealed class ClaudeCode(bool ownRetries) : CodingAgent("@anthropic-ai/claude-code", ownRetries)
{
    public override string? ReadText(IReadOnlyList<JsonNode> output)
    {
        var result = output.LastOrDefault(o => o["type"]?.GetValue<string>() == "result");
        return result is null || result["is_error"]?.GetValue<bool>() != false ? null : result["result"]?.GetValue<string>() ?? "";
    }

    protected override void Configure(ProcessStartInfo start, Uri gateway, string home)
    {
        start.FileName = Program("claude");
        foreach (var (name, value) in new[]
        {
            ("ANTHROPIC_BASE_URL", gateway.GetLeftPart(UriPartial.Authority)), ("ANTHROPIC_API_KEY", "made-up"), ("CLAUDE_CONFIG_DIR", Path.Combine(home, "config")),
            ("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "1"), ("DISABLE_TELEMETRY", "1"), ("DISABLE_AUTOUPDATER", "1"), ("DISABLE_ERROR_REPORTING", "1"),
        })
        {
            start.Environment[name] = value;
        }

        if (!OwnRetries)
        {
            start.Environment["CLAUDE_CODE_MAX_RETRIES"] = "0";
            start.Environment["CLAUDE_CODE_DISABLE_NONSTREAMING_FALLBACK"] = "1";
        }

        foreach (var argument in new[]
        {
            "--output-format", "stream-json", "--verbose", "--model", "judged-model", "--tools", "", "--strict-mcp-config", "--no-session-persistence", "--setting-sources", "", "-p",
        })
        {
            start.ArgumentList.Add(argument);
        }
    }
}

internal sealed class Codex(bool ownRetries) : CodingAgent("@openai/codex", ownRetries)
{
    public override string? ReadText(IReadOnlyList<JsonNode> output) =>
        output.Any(o => o["type"]?.GetValue<string>() == "turn.completed")
            ? string.Concat(output
                .Where(o => o["type"]?.GetValue<string>() == "item.completed" && o["item"]!["type"]!.GetValue<string>() == "agent_message")
                .Select(o => o["item"]!["text"]!.GetValue<string>()))
            : null;

    protected override void Configure(ProcessStartInfo start, Uri gateway, string home)
    {
        var config = Path.Combine(home, "config");
        Directory.CreateDirectory(config);
        File.WriteAllText(Path.Combine(config, "config.toml"), $"""
            model = "judged-model"
            model_provider = "judged"
            [model_providers.judged]
            name = "judged"
            base_url = "{new Uri(gateway, "v1")}"
            env_key = "JUDGED_KEY"
            wire_api = "responses"
            {(OwnRetries ? "" : "request_max_retries = 0\nstream_max_retries = 0")}
            [analytics]
            enabled = false
            """);
        start.FileName = Program("codex");
        start.Environment["CODEX_HOME"] = config;
        start.Environment["JUDGED_KEY"] = "made-up";
        foreach (var argument in new[] { "exec", "--json", "--skip-git-repo-check", "--ephemeral", "--sandbox", "read-only" })
        {
            start.ArgumentList.Add(argument);
        }
    }
}
