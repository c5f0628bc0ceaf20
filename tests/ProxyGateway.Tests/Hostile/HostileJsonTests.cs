using System.Buffers;
using System.Text;
using ProxyGateway.StreamingFallback.ChatFormats;
using ProxyGateway.StreamingFallback.Configuration;
using Xunit;

namespace ProxyGateway.Tests.Hostile;

/// <summary>Documents made to break a parser. Whatever a format says of them, it says it: nothing throws, nothing hangs.</summary>
public sealed class HostileJsonTests
{
    private const int Deep = 100_000;

    private static readonly int Many = Environment.GetEnvironmentVariable("PROXYGATEWAY_NIGHTLY") == "1" ? 100_000 : 5_000;

    /// <summary>In the places that formats look at, <c>@D@</c> is the document.</summary>
    private static readonly string[] Frames =
    [
        "@D@", """{"model":@D@}""", """{"stream":@D@,"model":"m"}""", """{"messages":@D@,"model":"m","stream":true}""", """{"choices":@D@}""",
        """{"choices":[{"index":0,"delta":@D@}]}""", """{"choices":[{"index":0,"message":{"role":"assistant","content":@D@,"tool_calls":@D@},"finish_reason":"stop"}]}""",
        """{"content":@D@,"type":"message","role":"assistant","stop_reason":"end_turn"}""", """{"type":"content_block_delta","index":0,"delta":@D@}""",
        """{"output":@D@,"object":"response","status":"completed"}""", """{"type":"response.created","response":@D@}""", """{"candidates":@D@}""",
        """{"message":@D@,"done":true}""", """{"jsonrpc":"2.0","id":@D@,"method":"message/stream","result":@D@,"params":@D@}""", """{"error":@D@}""",
        """{"stream":true,"stream_options":@D@}""", """{"contents":[],"generationConfig":@D@}""", """{"jsonrpc":"2.0","id":1,"method":"message/stream","params":{"message":@D@}}""",
        """{"candidates":[{"content":{"parts":[{"text":"x"}]},"finishReason":"STOP","more":@D@}]}""",
        """{"jsonrpc":"2.0","id":"x","result":{"kind":"task","id":"t","contextId":"c","status":{"state":"completed"},"artifacts":[{"artifactId":"a","parts":[{"kind":"data","data":@D@}]}]}}""",
    ];

    public static TheoryData<string, string> FormatsAndDocuments =>
        [.. ChatFormatRegistry.Names.Order(StringComparer.Ordinal).SelectMany(f => Documents.Keys.Select(d => (f, d)))];

    private static readonly Dictionary<string, string> Documents = new()
    {
        ["100,000 ["] = new string('[', Deep),
        ["100,000 [ and ]"] = new string('[', Deep) + new string(']', Deep),
        ["100,000 objects deep"] = string.Concat(Enumerable.Repeat("{\"a\":", Deep)),
        ["65 deep, closed"] = new string('[', 65) + new string(']', 65),
        ["many duplicate keys"] = "{" + string.Join(',', Enumerable.Repeat("\"model\":\"m\",\"stream\":true", Many / 2)) + "}",
        ["many keys"] = "{" + string.Join(',', Enumerable.Range(0, Many).Select(i => $"\"k{i}\":0")) + "}",
        ["many elements"] = "[" + string.Join(',', Enumerable.Repeat("{\"index\":0,\"text\":\"x\"}", Many)) + "]",
        ["a number of many digits"] = new string('9', Many),
        ["an exponent"] = "1e999999999",
        ["negative zero and more"] = "[-0,-1,1e308,1e-308,0.1,18446744073709551616]",
        ["a string of many escapes"] = "\"" + string.Concat(Enumerable.Repeat("\\u000a", Many * 2)) + "\"",
        ["lone surrogates"] = "\"\\ud800 \\udc00 \\udfff\\ud800\"",
        ["names of half a surrogate pair"] = "{\"\\ud800\":{\"\\udc00\":1},\"a\":[\"\\udc00\"]}",
        ["half a surrogate pair"] = "{\"a\":[\"\\udc00\"],\"b\":\"x\\ud800\"}",
        ["names that are no UTF-8"] = "{\"\\u0061~\":1,\"~\":\"~\"}",
        ["NUL"] = "\"\\u0000\"",
        ["an unfinished string"] = "\"abc",
        ["an unfinished escape"] = "\"\\u00",
        ["a comment"] = "/* {} */ 1",
        ["NaN"] = "NaN",
        ["nothing"] = "",
        ["white space"] = new string(' ', Many),
    };

    [Theory]
    [MemberData(nameof(FormatsAndDocuments))]
    public void HostileDocument_IsJudgedAndNothingThrows(string name, string documentName)
    {
        var format = ChatFormatRegistry.Find(name)!;
        var request = HostileCases.All[name].NewRequest();
        foreach (var frame in Frames)
        {
            byte[] bytes = [.. Encoding.UTF8.GetBytes(frame.Replace("@D@", Documents[documentName], StringComparison.Ordinal)).Select(b => b == (byte)'~' ? (byte)0xFF : b)];
            var output = new ArrayBufferWriter<byte>();

            if (format.ReadRequest(bytes, HostileCases.All[name].Path, out var read) is null)
            {
                format.WriteAttemptBody(read, bytes, AttemptMode.NonStreaming, "other", output);
            }

            format.ReadErrorBody(bytes);
            format.CheckAnswer(request, bytes);
            using var reader = format.NewReader(request, 1 << 20, TerminalProfile.Auto);
            var meaning = reader.Read(new StreamEvent(bytes, default, bytes, hasData: true));
            var made = new ArrayBufferWriter<byte>();
            var verdict = format.Continue(request, null, bytes, made);

            Assert.True(Enum.IsDefined(verdict), $"{frame}: {meaning}, {verdict}");
            Assert.True(verdict == AnswerVerdict.Usable || made.WrittenCount == 0, $"{frame}: {verdict}, and yet {made.WrittenCount} bytes were written");
        }
    }

    [Theory]
    [InlineData("not utf-8", new byte[] { (byte)'"', 0xFF, 0xFE, 0xC0, 0x80, (byte)'"' })]
    [InlineData("a byte order mark", new byte[] { 0xEF, 0xBB, 0xBF, (byte)'{', (byte)'}' })]
    [InlineData("utf-16", new byte[] { 0xFF, 0xFE, (byte)'{', 0, (byte)'}', 0 })]
    public void HostileBytes_AreJudgedAndNothingThrows(string what, byte[] bytes)
    {
        foreach (var format in ChatFormatRegistry.Names.Select(n => ChatFormatRegistry.Find(n)!))
        {
            var request = HostileCases.All[format.Name].NewRequest();
            format.ReadRequest(bytes, HostileCases.All[format.Name].Path, out _);
            using var reader = format.NewReader(request, 1 << 20, TerminalProfile.Auto);
            reader.Read(new StreamEvent(bytes, default, bytes, hasData: true));

            Assert.True(format.CheckAnswer(request, bytes) != AnswerVerdict.Usable, $"{format.Name} takes {what} for an answer");
            Assert.True(format.ReadErrorBody(bytes) is UpstreamComplaint.None or UpstreamComplaint.Other);
        }
    }
}
