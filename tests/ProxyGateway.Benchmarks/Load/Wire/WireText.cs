using System.Buffers.Text;
using System.Diagnostics;
using System.Text;

namespace ProxyGateway.Benchmarks.Load.Wire;

/// <summary>
/// The bytes that upstream and client of the bench agree on. Every content event holds the time of its sending and a tilde,
/// which stands nowhere else: the client counts tildes, needs no parser, and reads the delay off the digits before each.
/// </summary>
internal static class WireText
{
    public const byte Mark = (byte)'~';

    /// <summary>Digits of a timestamp. The monotonic clock of one machine is the same in all its processes.</summary>
    public const int TimeDigits = 19;

    public const string Path = "/v1/chat/completions";

    private const string Identity = "\"id\":\"chatcmpl-bench\",\"object\":\"chat.completion.chunk\",\"created\":1700000000,\"model\":\"bench\"";

    /// <summary>End of a whole answer: nothing follows the tilde but this.</summary>
    public static ReadOnlySpan<byte> AnswerEnd => "~\"}}]}"u8;

    public static ReadOnlySpan<byte> LastChunk => "0\r\n\r\n"u8;

    /// <summary>Headers of a stream and its role event.</summary>
    public static byte[] StreamStart { get; } = Encoding.ASCII.GetBytes(
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-cache\r\nTransfer-Encoding: chunked\r\n\r\n"
        + Chunk($"data: {{{Identity},\"choices\":[{{\"index\":0,\"delta\":{{\"role\":\"assistant\",\"content\":\"\"}},\"finish_reason\":null}}]}}\n\n"));

    /// <summary>One content event in an HTTP chunk of its own.</summary>
    public static byte[] Content { get; } = Encoding.ASCII.GetBytes(Chunk(
        $"data: {{{Identity},\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"{new string('0', TimeDigits)}~\"}},\"finish_reason\":null}}]}}\n\n"));

    public static byte[] StreamEnd { get; } = Encoding.ASCII.GetBytes(
        Chunk($"data: {{{Identity},\"choices\":[{{\"index\":0,\"delta\":{{}},\"finish_reason\":\"stop\"}}]}}\n\n")
        + Chunk("data: [DONE]\n\n") + "0\r\n\r\n");

    /// <summary>A whole answer of about one kilobyte; <c>choices</c> comes last so that it ends in <see cref="AnswerEnd"/>.</summary>
    public static byte[] Answer { get; } = MakeAnswer();

    /// <summary>A request of about two kilobytes that asks the upstream for one of its behaviours. <paramref name="headers"/> are whole lines.</summary>
    public static byte[] Request(string behaviour, bool stream, string headers = "")
    {
        var text = new string('x', 1900);
        var body = $"{{\"model\":\"bench\",\"stream\":{(stream ? "true" : "false")},\"messages\":[{{\"role\":\"user\",\"content\":\"{text}\"}}]}}";
        return Encoding.ASCII.GetBytes(
            $"POST {Path}?{behaviour} HTTP/1.1\r\nHost: bench.test\r\nContent-Type: application/json\r\nAuthorization: Bearer bench\r\nContent-Length: {body.Length}\r\n{headers}\r\n{body}");
    }

    /// <summary>Writes the time of now into a copy of <see cref="Content"/>, with or without the HTTP chunk around it.</summary>
    public static void Stamp(Span<byte> content) =>
        Utf8Formatter.TryFormat(Stopwatch.GetTimestamp(), content.Slice(content.IndexOf(Mark) - TimeDigits, TimeDigits), out _, new('D', TimeDigits));

    /// <summary>The delay of the event whose tilde is at <paramref name="mark"/>; null where its digits came in an earlier read.</summary>
    public static TimeSpan? Delay(ReadOnlySpan<byte> bytes, int mark) =>
        mark >= TimeDigits && Utf8Parser.TryParse(bytes.Slice(mark - TimeDigits, TimeDigits), out long sent, out var used) && used == TimeDigits && sent > 0
            ? Stopwatch.GetElapsedTime(sent)
            : null;

    private static byte[] MakeAnswer()
    {
        var body = "{\"id\":\"chatcmpl-bench\",\"object\":\"chat.completion\",\"created\":1700000000,\"model\":\"bench\","
            + "\"usage\":{\"prompt_tokens\":400,\"completion_tokens\":200,\"total_tokens\":600},"
            + "\"choices\":[{\"index\":0,\"finish_reason\":\"stop\",\"message\":{\"role\":\"assistant\",\"content\":\"" + new string('y', 800) + "~\"}}]}";
        return Encoding.ASCII.GetBytes($"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {body.Length}\r\n\r\n{body}");
    }

    private static string Chunk(string text) => $"{text.Length:x}\r\n{text}\r\n";
}
