using System.Text;
using BenchmarkDotNet.Attributes;
using Microsoft.Extensions.Configuration;
using ProxyGateway.StreamingFallback.Buffers;
using ProxyGateway.StreamingFallback.ChatFormats;
using ProxyGateway.StreamingFallback.ChatFormats.OpenAIChat;
using ProxyGateway.StreamingFallback.CircuitBreaking;
using ProxyGateway.StreamingFallback.Configuration;
using ProxyGateway.StreamingFallback.Exchange;
using ProxyGateway.StreamingFallback.Recovery;
using ProxyGateway.StreamingFallback.Sse;
using ProxyGateway.StreamingFallback.Telemetry;

namespace ProxyGateway.Benchmarks.Micro;

/// <summary>What is paid per exchange, and per recovery.</summary>
[MemoryDiagnoser]
public class ExchangeBenchmarks
{
    private static readonly byte[] Body = Encoding.UTF8.GetBytes(
        $$$"""{"model":"m","stream":true,"messages":[{"role":"user","content":"{{{new string('x', 2000)}}}"}]}""");

    private static readonly byte[] Delivered = Encoding.UTF8.GetBytes(
        $$$"""data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"content":"{{{new string('y', 1000)}}}"},"finish_reason":null}]}""" + "\n\n");

    private static readonly byte[] Answer = Encoding.UTF8.GetBytes(
        $$$"""{"id":"chatcmpl-2","object":"chat.completion","created":2,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"{{{new string('y', 2000)}}}"},"finish_reason":"stop"}]}""");

    private readonly OpenAIChatFormat _format = new();
    private readonly ChatRequest _request = new() { Streaming = true };
    private readonly PooledBuffer _output = new();
    private readonly CircuitCell _circuit = new(TimeProvider.System);
    private ChatStreamReader _delivered = null!;
    private RouteSettings _route = null!;
    private RecoverySituation _situation;

    [GlobalSetup]
    public void Setup()
    {
        _delivered = _format.NewReader(_request, 1 << 20, TerminalProfile.Auto);
        using var scratch = new PooledBuffer();
        _delivered.Read(EventParser.Parse(StreamFraming.ServerSentEvents, Delivered, isFirst: true, scratch));
        var root = new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["ReverseProxy:Routes:chat:StreamingFallback:Format"] = "openai-chat",
            ["ReverseProxy:Clusters:agent:Fallback:0:Cluster"] = "other",
            ["ReverseProxy:Clusters:other:Destinations:a:Address"] = "http://127.0.0.1:1",
        }).Build();
        _route = new SettingsReader(root.GetSection("ReverseProxy"), root).ReadRoute("chat", "agent")!;
        _situation = new RecoverySituation
        {
            Fault = new Fault(FaultKind.IdleTimeout, FaultPhase.Content),
            IsFirstAttempt = true,
            IsClientError = false,
            Mode = AttemptMode.Streaming,
            ClientStreaming = true,
            Delivered = DeliveredKind.Text,
            CanSplice = true,
            Enabled = true,
            Replay = ReplayPolicy.Safe,
            OnMidStreamFailure = MidStreamFailureAction.Splice,
            AttemptsLeft = 2,
            AttemptsHere = 1,
            DeliveredHere = true,
            IsFallbackCluster = false,
            AnotherClusterLeft = true,
            BudgetLeft = true,
            TimeLeft = TimeSpan.FromSeconds(30),
            MaxRetryAfter = TimeSpan.FromSeconds(5),
            Backoff = TimeSpan.FromMilliseconds(250),
        };
    }

    [Benchmark]
    public bool ReadRequest() => _format.ReadRequest(Body, "/v1/chat/completions", out _) is null;

    [Benchmark]
    public int Plan() => AttemptPlan.For(_route, _request)!.Count;

    [Benchmark]
    public int Decide() => (int)RecoveryPolicy.Decide(_situation).Step;

    [Benchmark]
    public bool BreakerEnterAndLeave()
    {
        var entered = _circuit.TryEnter(CircuitBreakerSettings.Default, out var permit, out _);
        permit.OnSuccess();
        return entered;
    }

    [Benchmark]
    public int Splice()
    {
        _output.Truncate(0);
        _format.Continue(_request, _delivered, Answer, _output);
        return _output.Length;
    }
}
