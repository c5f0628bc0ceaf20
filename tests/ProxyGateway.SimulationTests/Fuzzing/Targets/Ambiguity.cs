using System.Globalization;
using System.Text.Json;
using System.Text.Unicode;
using ProxyGateway.StreamingFallback.ChatFormats;
using ProxyGateway.TestKit.Contract;

namespace ProxyGateway.SimulationTests.Fuzzing.Targets;

/// <summary>
/// JSON that parsers read in different ways: a member that stands twice, text that is no UTF-8 or half a surrogate pair, nesting deeper
/// than common limits (RFC 8259, sections 4, 8.1, 8.2 and 9). The gateway takes an event of that kind for malformed, a client may
/// not: so there is no saying what it should have got.
/// </summary>
internal static class Ambiguity
{
    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false, MaxDepth = 64 };

    private static readonly JsonDocumentOptions Lenient = new() { MaxDepth = 1000 };

    /// <summary>Whether it is in an answer, or in an event of a stream.</summary>
    public static bool IsIn(byte[] body, bool isAnswer, StreamFraming framing)
    {
        if (!Utf8.IsValid(body))
        {
            return true;
        }

        if (isAnswer)
        {
            return IsIn(body);
        }

        ReadOnlyMemory<byte> rest = body;
        for (var isStart = true; framing == StreamFraming.JsonLines ? SseBlock.TryReadLine(rest, isStart, out var block) : SseBlock.TryRead(rest, isStart, out block); isStart = false)
        {
            if (block.HasData && IsIn(block.Data))
            {
                return true;
            }

            rest = rest[block.Raw.Length..];
        }

        return false;
    }

    private static bool IsIn(byte[] json) => HasLoneSurrogate(json) || (Parses(json, Lenient) && !Parses(json, Strict));

    /// <summary>In UTF-8 that is valid it can only be written as an escape.</summary>
    public static bool HasLoneSurrogate(ReadOnlySpan<byte> json)
    {
        for (var i = json.IndexOf((byte)'\\'); i >= 0 && i + 1 < json.Length;)
        {
            var unit = Unit(json[i..]);
            i += unit < 0 ? 2 : 6;
            if (unit is >= 0xD800 and < 0xDC00)
            {
                if (i >= json.Length || Unit(json[i..]) is not (>= 0xDC00 and < 0xE000))
                {
                    return true;
                }

                i += 6;
            }
            else if (unit is >= 0xDC00 and < 0xE000)
            {
                return true;
            }

            var next = i < json.Length ? json[i..].IndexOf((byte)'\\') : -1;
            i = next < 0 ? -1 : i + next;
        }

        return false;
    }

    /// <summary>The code unit that an escape at the start stands for; -1 where there is none.</summary>
    private static int Unit(ReadOnlySpan<byte> escape) =>
        escape.Length >= 6 && escape.StartsWith("\\u"u8) && int.TryParse(escape[2..6], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var unit) ? unit : -1;

    private static bool Parses(byte[] json, JsonDocumentOptions options)
    {
        try
        {
            using var document = JsonDocument.Parse(json, options);
            return true;
        }
        catch (JsonException)
        {
            return false;
        }
    }
}
