using System.Collections.Concurrent;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using ProxyGateway.IntegrationTests.Clients.Judging.Formats;
using ProxyGateway.IntegrationTests.Gateway;
using ProxyGateway.TestKit.Upstream;

namespace ProxyGateway.IntegrationTests.Clients.Judging;

/// <summary>
/// An agent that speaks every format. The prompt says <c>judge:SITUATION:CLIENT</c>; the first request with these words fails as
/// the situation wants it, streaming or not, and those after it are answered.
/// </summary>
internal sealed partial class JudgedAgent : IAsyncDisposable
{
    private const int ContentBeforeCut = 3;
    private static readonly TimeSpan s_silence = TimeSpan.FromMilliseconds(600);
    private const string MadeUpKey = "made-up";

    private readonly ScriptedUpstream _upstream = ScriptedUpstream.Start();
    private readonly ConcurrentDictionary<(string Client, string Situation), int> _asked = new();
    private readonly ConcurrentQueue<string> _strangers = new();

    public JudgedAgent() => _upstream.Choose = Choose;

    public ScriptedUpstream Upstream => _upstream;

    /// <summary>Requests that belong to no situation or carry another key than the made-up one; what they were is for the test's message.</summary>
    public IReadOnlyCollection<string> Strangers => _strangers;

    public int Asked(string client, Situation situation) => _asked.GetValueOrDefault((client, situation.Name));

    /// <summary>The call that a client told back with its result; null where it never went on.</summary>
    public UnderstoodCall? CallUnderstood(string client, Situation situation) => _upstream.Exchanges
        .Where(e => Prompt().Match(Encoding.UTF8.GetString(e.Body)) is { Success: true } p && (p.Groups[1].Value, p.Groups[2].Value) == (situation.Name, client))
        .Select(e => UnderstoodCall.Find(JsonNode.Parse(e.Body)))
        .LastOrDefault(c => c is not null);

    public ValueTask DisposeAsync() => _upstream.DisposeAsync();

    private UpstreamScript? Choose(RecordedExchange exchange)
    {
        var body = Encoding.UTF8.GetString(exchange.Body);
        var format = JudgedFormat.Of(exchange.Target);
        if (format is null || Prompt().Match(body) is not { Success: true } prompt || Situation.Find(prompt.Groups[1].Value) is not { } situation)
        {
            _strangers.Enqueue($"{exchange.Method} {exchange.Target}");
            return null;
        }

        if (!OnlyMadeUpKeys(exchange))
        {
            _strangers.Enqueue($"{exchange.Target} with a key that is not made up");
            return null;
        }

        var number = _asked.AddOrUpdate((prompt.Groups[2].Value, situation.Name), 1, (_, n) => n + 1);
        var request = new JudgedRequest(exchange, format, number);
        // A client that ran the call asks on with its result.
        if (body.Contains(JudgedAnswer.CallIdPrefix, StringComparison.Ordinal))
        {
            return request.Play(JudgedAnswer.Good(number));
        }

        return number == 1 ? First(request, situation) : Later(request, situation);
    }

    private static UpstreamScript First(JudgedRequest request, Situation situation) => situation.Name switch
    {
        "healthy" => request.Play(JudgedAnswer.Good(request.Number)),
        "before" => request.Cut(JudgedAnswer.Good(request.Number), 0).ThenReset(),
        "clean" => request.Cut(JudgedAnswer.Good(request.Number), ContentBeforeCut).EndClean(),
        "tool" => request.Cut(JudgedAnswer.Call(request.Number), ContentBeforeCut).ThenReset(),
        "dead" => UpstreamScript.ResetAtOnce,
        "slow" => Late(request.Play(JudgedAnswer.Good(request.Number))),
        "slow-dead" => Late(UpstreamScript.ResetAtOnce),
        _ => request.Cut(JudgedAnswer.Good(request.Number), ContentBeforeCut).ThenReset(),
    };

    private static UpstreamScript Later(JudgedRequest request, Situation situation) => situation.Name switch
    {
        "dead" or "slow-dead" => UpstreamScript.ResetAtOnce,
        "slow-equal" => Late(request.Play(JudgedAnswer.Good(request.Number))),
        "fails-later" => request.Refuse(),
        "diverging" => request.Play(JudgedAnswer.Other(request.Number)),
        "tool" => request.Play(JudgedAnswer.Call(request.Number)),
        _ => request.Play(JudgedAnswer.Good(request.Number)),
    };

    private static UpstreamScript Late(UpstreamScript script) => script.Steps.Aggregate(new UpstreamScript().Delay(s_silence), (s, step) => s.Then(step));

    private static bool OnlyMadeUpKeys(RecordedExchange exchange) => exchange.Headers
        .Where(h => h.Key.ToLowerInvariant() is "authorization" or "x-api-key" or "x-goog-api-key" or "cookie" or "proxy-authorization")
        .All(h => h.Value is MadeUpKey or "Bearer " + MadeUpKey);

    [GeneratedRegex("judge:([a-z-]+):([a-zA-Z0-9]+)")]
    private static partial Regex Prompt();
}
