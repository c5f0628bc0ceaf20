using System.Text;
using System.Text.Json;
using ProxyGateway.TestKit.Contract;

namespace ProxyGateway.TestKit.Data;

/// <summary>An event as a conformance case expects it.</summary>
public sealed record ExpectedEvent(string Data, string? Event, string? Id);

/// <summary>A stream in pieces, and the events it means.</summary>
public sealed record SseCase(string Name, IReadOnlyList<byte[]> Chunks, IReadOnlyList<ExpectedEvent> Events)
{
    public byte[] Whole => [.. Chunks.SelectMany(c => c)];

    public override string ToString() => Name;
}

/// <summary>Loads the event stream cases of the third-party data.</summary>
public static class SseCases
{
    /// <summary>Their byte order mark is three Latin-1 characters, which is none for a parser of bytes.</summary>
    private static readonly string[] NotForBytes = ["LeadingBom", "MultiBom"];

    public static IReadOnlyList<SseCase> Load(string dataFolder)
    {
        var folder = Path.Combine(dataFolder, "sse-conformance");
        return
        [
            .. Load(Path.Combine(folder, "wpt-eventsource-cases.json"), "wpt", "expected"),
            .. Load(Path.Combine(folder, "eventsource-parser-cases.json"), "eventsource-parser", "events"),
        ];
    }

    private static List<SseCase> Load(string file, string source, string expected)
    {
        using var document = JsonDocument.Parse(File.ReadAllBytes(file));
        List<SseCase> cases = [];
        foreach (var item in document.RootElement.GetProperty("cases").EnumerateArray())
        {
            var name = item.GetProperty("name").GetString()!;
            if (NotForBytes.Contains(name))
            {
                continue;
            }

            List<byte[]> chunks = item.TryGetProperty("chunks", out var pieces)
                ? [.. pieces.EnumerateArray().Select(p => Encoding.UTF8.GetBytes(p.GetString()!))]
                : [Encoding.UTF8.GetBytes(item.GetProperty("stream").GetString()!)];
            var events = item.GetProperty(expected).EnumerateArray()
                .Select(e => new ExpectedEvent(JsonStrings.Get(e, "data") ?? "", JsonStrings.Get(e, "event") ?? JsonStrings.Get(e, "type"), JsonStrings.Get(e, "id") ?? JsonStrings.Get(e, "lastEventId")));
            cases.Add(new SseCase($"{source}/{name}", chunks, [.. events]));
        }

        return cases;
    }
}

/// <summary>Whether a document of the JSON parsing suite must be accepted.</summary>
public enum JsonVerdict
{
    MustParse,
    MustFail,
    Either,
}

/// <summary>One document of the JSON parsing suite.</summary>
public sealed record JsonCase(string Name, byte[] Bytes, JsonVerdict Verdict)
{
    public override string ToString() => Name;
}

/// <summary>Loads the JSON documents of the third-party data.</summary>
public static class JsonCases
{
    public static IReadOnlyList<JsonCase> Load(string dataFolder) =>
    [
        .. Files(dataFolder, "test_parsing").Select(f => Case(f, Path.GetFileName(f)[0] switch
        {
            'y' => JsonVerdict.MustParse,
            'n' => JsonVerdict.MustFail,
            _ => JsonVerdict.Either,
        })),
        .. Files(dataFolder, "test_transform").Select(f => Case(f, JsonVerdict.Either)),
    ];

    private static JsonCase Case(string file, JsonVerdict verdict) => new(Path.GetFileNameWithoutExtension(file), File.ReadAllBytes(file), verdict);

    private static IOrderedEnumerable<string> Files(string dataFolder, string part) =>
        Directory.EnumerateFiles(Path.Combine(dataFolder, "jsontestsuite", part), "*.json").Order(StringComparer.Ordinal);
}
