using System.Text;
using System.Text.Json.Nodes;
using ProxyGateway.StreamingFallback.Buffers;
using ProxyGateway.StreamingFallback.ChatFormats;
using ProxyGateway.StreamingFallback.ChatFormats.OpenAIResponses;
using ProxyGateway.StreamingFallback.Configuration;
using ProxyGateway.StreamingFallback.Guard;
using ProxyGateway.StreamingFallback.Sse;
using ProxyGateway.StreamingFallback.Telemetry;
using Xunit;

namespace ProxyGateway.Tests.ChatFormats.OpenAIResponses;

/// <summary>Own streams, and the shortest ways to put bytes through the format.</summary>
internal static class ResponsesFixtures
{
    public static readonly OpenAIResponsesFormat Format = new();

    public static readonly ChatRequest Request = ReadRequest("""{"model":"m","input":"hi","stream":true,"store":false}""");

    private static readonly JsonObject Citation = new() { ["type"] = "url_citation", ["url"] = "https://example.test/", ["start_index"] = 0, ["end_index"] = 5 };

    /// <summary>By name, with the suffix that the ids get.</summary>
    public static UpstreamScript Script(string name, string suffix = "a", string lineEnd = "\n")
    {
        var script = new UpstreamScript(suffix, lineEnd).Created();
        return name switch
        {
            "text" => script.Reasoning().Message(["Grüße, ", "Welt ", "😀 \"quoted\"\n", "end"], Citation).End(),
            "calls" => script.Message(["Let me look. "]).FunctionCall("weather", "{\"city\":", "\"Pa", "ris\"}").FunctionCall("time", "{}").End(),
            "mixed" => script.Reasoning(["First ", "thought"], ["Second"]).WebSearch("proxies").CustomToolCall("exec", "echo ", "\"hi\"").Message(["Done", "."]).End(),
            "refusal" => script.Refusal("I can", "not.").End(),
            _ => throw new ArgumentOutOfRangeException(nameof(name)),
        };
    }

    public static ChatRequest ReadRequest(string body)
    {
        Assert.Null(Format.ReadRequest(Encoding.UTF8.GetBytes(body), "/v1/responses", out var request));
        return request;
    }

    public static OpenAIResponsesReader NewReader(int maxDeliveredBytes = 1 << 20, TerminalProfile terminal = TerminalProfile.Auto) =>
        (OpenAIResponsesReader)Format.NewReader(Request, maxDeliveredBytes, terminal);

    public static EventMeaning Read(this OpenAIResponsesReader reader, string data, string eventName = "") =>
        reader.Read(EventParser.Parse(StreamFraming.ServerSentEvents, Encoding.UTF8.GetBytes(eventName.Length > 0 ? $"event: {eventName}\ndata: {data}\n\n" : $"data: {data}\n\n"), false, new PooledBuffer()));

    /// <summary>Every event of <paramref name="stream"/>, in order.</summary>
    public static List<EventMeaning> ReadAll(this OpenAIResponsesReader reader, ReadOnlySpan<byte> stream)
    {
        var meanings = new List<EventMeaning>();
        var framer = new EventFramer(StreamFraming.ServerSentEvents);
        using var scratch = new PooledBuffer();
        while (framer.FindEventEnd(stream) is var end and > 0)
        {
            meanings.Add(reader.Read(EventParser.Parse(StreamFraming.ServerSentEvents, stream[..end], false, scratch)));
            stream = stream[end..];
        }

        return meanings;
    }

    /// <summary>What a client gets of <paramref name="stream"/> in pieces, its end being <paramref name="fault"/>.</summary>
    public static (byte[] Delivered, StreamGuard Guard, OpenAIResponsesReader Reader) Guarded(
        ReadOnlySpan<byte> stream, FaultKind fault = FaultKind.None, int piece = int.MaxValue, int maxEventBytes = 1 << 20)
    {
        var reader = NewReader();
        var guard = new StreamGuard(Format, reader, maxEventBytes);
        using var output = new PooledBuffer();
        while (!stream.IsEmpty)
        {
            var length = Math.Min(piece, stream.Length);
            guard.Push(stream[..length], output);
            stream = stream[length..];
        }

        guard.End(fault, output);
        return (output.Span.ToArray(), guard, reader);
    }

    public static (AnswerVerdict Verdict, byte[] Events) Continue(OpenAIResponsesReader? delivered, byte[] answer)
    {
        using var output = new PooledBuffer();
        var verdict = Format.Continue(Request, delivered, answer, output);
        return (verdict, output.Span.ToArray());
    }

    public static string Text(ReadOnlySpan<byte> bytes) => Encoding.UTF8.GetString(bytes);
}
