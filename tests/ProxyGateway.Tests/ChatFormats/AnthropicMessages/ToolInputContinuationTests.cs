using System.Text;
using System.Text.Json;
using CsCheck;
using ProxyGateway.StreamingFallback.ChatFormats.AnthropicMessages;
using Xunit;

namespace ProxyGateway.Tests.ChatFormats.AnthropicMessages;

/// <summary>How the delivered beginning of a call's input is joined to an input that is written otherwise.</summary>
public sealed class ToolInputContinuationTests
{
    [Theory]
    // The same bytes.
    [InlineData("", """{"a": 1}""", """{"a": 1}""")]
    [InlineData("""{"a": """, """{"a": 1}""", "1}")]
    [InlineData("""{"a": 1}""", """{"a": 1}""", "")]
    // Other white space.
    [InlineData("""{"a": """, """{"a":1}""", "1}")]
    [InlineData("""{"a": 1, """, """{"a":1,"b":2}""", "\"b\":2}")]
    [InlineData("""{ "a" """, """{"a":[1]}""", ":[1]}")]
    [InlineData("{\n", """{"a":1}""", "\"a\":1}")]
    [InlineData("{ ", "{}", "}")]
    [InlineData("""{"a": 1} """, """{"a":1}""", "")]
    // Another order of members.
    [InlineData("""{"b": 2""", """{"a":1,"b":2}""", ",\"a\":1}")]
    [InlineData("""{"b": 2,""", """{"a":1,"b":2,"c":3}""", "\"a\":1,\"c\":3}")]
    [InlineData("""{"o": {"y": 2""", """{"o":{"x":1,"y":2},"p":0}""", ",\"x\":1},\"p\":0}")]
    // Inside a name.
    [InlineData("""{ "ci""", """{"city":"Paris"}""", "ty\":\"Paris\"}")]
    [InlineData("""{ "city""", """{"city":"Paris","cities":1}""", "\":\"Paris\",\"cities\":1}")]
    // Inside a string and its escapes.
    [InlineData("""{ "a":"Par""", """{"a":"Paris"}""", "is\"}")]
    [InlineData("""{ "a":"Paris""", """{"a":"Paris"}""", "\"}")]
    [InlineData("""{ "a":"Z\u00fcr""", """{"a":"Zürich"}""", "ich\"}")]
    [InlineData("""{ "a":"Z\u00F""", """{"a":"Zürich"}""", "crich\"}")]
    [InlineData("""{ "a":"Z\u""", """{"a":"Zürich"}""", "00fcrich\"}")]
    [InlineData("""{ "a":"Z\""", """{"a":"Zürich"}""", "u00fcrich\"}")]
    [InlineData("""{ "a":"x\""", """{"a":"x\ny"}""", "ny\"}")]
    [InlineData("""{ "a":"x\""", """{"a":"x\"y"}""", "\"y\"}")]
    [InlineData("""{ "a":"\ud83c""", """{"a":"🌍!"}""", "\\udf0d!\"}")]
    [InlineData("""{ "a":"\ud8""", """{"a":"🌍!"}""", "3c\\udf0d!\"}")]
    [InlineData("""{ "a":"🌍""", """{"a":"\ud83c\udf0d!"}""", "!\"}")]
    [InlineData("""{ "a":"x\/""", """{"a":"x/y"}""", "y\"}")]
    // Inside a number or a literal.
    [InlineData("""{ "a":1""", """{"a":12.5}""", "2.5}")]
    [InlineData("""{ "a":-""", """{"a":-3}""", "3}")]
    [InlineData("""{ "a":1.50""", """{"a":1.5}""", "}")]
    [InlineData("""{ "a":1.0, "b":""", """{"a":1,"b":2}""", "2}")]
    [InlineData("""{ "a":tr""", """{"a":true}""", "ue}")]
    [InlineData("""{ "a":null""", """{"a":null,"b":1}""", ",\"b\":1}")]
    // Arrays.
    [InlineData("""{ "a":[1, {"x": 2}, [""", """{"a":[1,{"x":2},[3],4]}""", "3],4]}")]
    [InlineData("""{ "a":[""", """{"a":[]}""", "]}")]
    [InlineData("""{ "a":[1,""", """{"a":[1,2]}""", "2]}")]
    public void Beginning_IsJoined(string delivered, string whole, string rest)
    {
        Assert.Equal(rest, Rest(delivered, whole));
    }

    [Theory]
    [InlineData("""{"b""", """{"a":1}""")]
    [InlineData("""{"a":2""", """{"a":1}""")]
    [InlineData("""{ "a":"Lon""", """{"a":"Paris"}""")]
    [InlineData("""{ "a":"Paris!""", """{"a":"Paris"}""")]
    [InlineData("""{ "a":"Par" """, """{"a":"Paris"}""")]
    [InlineData("""{ "a":1 """, """{"a":12}""")]
    [InlineData("""{ "a":1, """, """{"a":1}""")]
    [InlineData("""{ "a":1, "a":1""", """{"a":1}""")]
    [InlineData("""{ "a":1}""", """{"a":1,"b":2}""")]
    [InlineData("""{ "a":[1,""", """{"a":[1]}""")]
    [InlineData("""{ "a":[1]""", """{"a":[1,2]}""")]
    [InlineData("""{ "a":"\u00fd""", """{"a":"ü"}""")]
    [InlineData("""{ "a":"\q""", """{"a":"q"}""")]
    [InlineData("""{ "a":tru e""", """{"a":true}""")]
    [InlineData("""{ "a":fa""", """{"a":true}""")]
    [InlineData("""{ "a":{""", """{"a":[1]}""")]
    [InlineData("""{"a": 1} x""", """{"a":1}""")]
    [InlineData("{ \"a\":\"x\ny", """{"a":"x\ny"}""")]
    [InlineData("[", """{"a":1}""")]
    [InlineData("""{ "A""", """{"a":1}""")]
    public void BeginningOfSomethingElse_IsNotJoined(string delivered, string whole)
    {
        Assert.Null(Rest(delivered, whole));
    }

    [Fact]
    public void AnyValueCutAnywhere_IsJoinedToItself()
    {
        // Every beginning of one way to write a value joins to every other way to write it.
        Value(3).Select(Gen.Int[0, int.MaxValue], (value, seed) => (Value: value, seed)).Sample(
            (value, seed) =>
            {
                var delivered = Write(value, new Random(seed), ownStyle: true);
                var whole = Write(value, new Random(seed + 1), ownStyle: false);
                using var document = JsonDocument.Parse(whole);
                var bytes = Encoding.UTF8.GetBytes(delivered);
                for (var cut = 0; cut <= delivered.Length; cut++)
                {
                    if (cut < delivered.Length && char.IsLowSurrogate(delivered[cut]))
                    {
                        continue;
                    }

                    var beginning = Encoding.UTF8.GetBytes(delivered[..cut]);
                    var rest = ToolInputContinuation.Rest(beginning, document.RootElement);
                    Assert.True(rest is not null, $"{delivered[..cut]} of {whole}");
                    Assert.True(ToolInputContinuation.IsSame(new byte[][] { beginning, rest }.SelectMany(b => b).ToArray(), document.RootElement));
                }
            },
            iter: 300);
    }

    [Fact]
    public void ObjectOfVeryManyMembers_IsJoinedOnlyByItsBytes()
    {
        var whole = "{" + string.Join(',', Enumerable.Range(0, 5000).Select(i => $"\"m{i}\":{i}")) + "}";
        Assert.NotNull(Rest(whole[..3000], whole));
        Assert.Null(Rest(" " + whole[..3000], whole));
    }

    private static string? Rest(string delivered, string whole)
    {
        using var document = JsonDocument.Parse(whole);
        return ToolInputContinuation.Rest(Encoding.UTF8.GetBytes(delivered), document.RootElement) is { } rest ? Encoding.UTF8.GetString(rest) : null;
    }

    private static Gen<T> Pick<T>(params T[] values) => Gen.Int[0, values.Length - 1].Select(i => values[i]);

    private static Gen<object?> Value(int depth)
    {
        var text = Pick("", "a", "ab", "Zürich", "🌍 x", "\"\\/\b\n", "日本", "\u2028", "true").Select(s => (object?)s);
        var scalar = Gen.OneOf(text, Pick<object?>(null, true, false), Pick("0", "-1", "12", "1.5", "1e3", "123456789012").Select(n => (object?)new Number(n)));
        if (depth == 0)
        {
            return scalar;
        }

        var inner = Value(depth - 1);
        var members = Gen.Select(Pick("a", "ab", "abc", "ü", "x y", "q\"", "z"), inner).Array[0, 4]
            .Select(pairs => (object?)pairs.GroupBy(p => p.Item1).ToDictionary(g => g.Key, g => g.First().Item2));
        return Gen.OneOf(members, inner.Array[0, 3].Select(a => (object?)a), scalar);
    }

    /// <summary>One of many ways to write a value: white space, escapes, the order of members.</summary>
    private static string Write(object? value, Random random, bool ownStyle)
    {
        var space = random.Next(3) switch { 0 => "", 1 => " ", _ => "\n  " };
        switch (value)
        {
            case null:
                return "null";
            case bool b:
                return b ? "true" : "false";
            case Number n:
                return n.Text;
            case string s:
                return "\"" + string.Concat(s.Select(c => Character(c, random))) + "\"";
            case object?[] items:
                return $"[{space}{string.Join($"{space},", items.Select(i => Write(i, random, ownStyle)))}{space}]";
            default:
                var members = ((Dictionary<string, object?>)value).ToArray();
                if (ownStyle)
                {
                    random.Shuffle(members);
                }

                return $"{{{space}{string.Join($",{space}", members.Select(m => $"{Write(m.Key, random, ownStyle)}:{space}{Write(m.Value, random, ownStyle)}"))}{space}}}";
        }
    }

    private static string Character(char c, Random random) => c switch
    {
        _ when char.IsSurrogate(c) => c.ToString(),
        '"' => "\\\"",
        '\\' => "\\\\",
        '\b' => "\\b",
        '\n' => random.Next(2) == 0 ? "\\n" : "\\u000A",
        _ => random.Next(4) == 0 ? $"\\u{(int)c:x4}" : c.ToString(),
    };

    private sealed record Number(string Text);
}
