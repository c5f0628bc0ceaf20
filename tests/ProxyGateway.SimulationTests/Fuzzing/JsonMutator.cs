namespace ProxyGateway.SimulationTests.Fuzzing;

/// <summary>Changes JSON where its grammar has joints: values, members, names, characters of strings. What it is given need not be valid.</summary>
internal static class JsonMutator
{
    private enum Kind
    {
        Name,
        Value,
    }

    private readonly record struct Token(Kind Kind, int Start, int End);

    public static byte[] Change(byte[] json, byte[] donor, FuzzRandom random) => Change(json, donor, random, Words.Values, Words.Names);

    public static byte[] Change(byte[] json, byte[] donor, FuzzRandom random, byte[][] values, byte[][] names)
    {
        var tokens = Tokens(json);
        if (tokens.Count == 0)
        {
            return Mutator.Bytes(json, random);
        }

        var token = random.Pick(tokens);
        var (start, length) = (token.Start, token.End - token.Start);
        var raw = json.AsSpan(start, length);
        if (token.Kind == Kind.Name)
        {
            return random.Below(5) switch
            {
                0 => Mutator.Replace(json, start, length, random.Pick(names)),
                1 => Escape(json, token, random),
                // The member with another value, in front of itself: a duplicate.
                2 => Mutator.Replace(json, start, 0, [.. raw, (byte)':', .. random.Pick(values), (byte)',']),
                3 => Mutator.Replace(json, start, 0, [.. random.Pick(names), (byte)':', .. random.Pick(values), (byte)',']),
                _ => WithoutMember(json, token, tokens),
            };
        }

        switch (random.Below(10))
        {
            case 0 or 1:
                return Mutator.Replace(json, start, length, random.Pick(values));
            case 2:
                var lent = Tokens(donor);
                var other = lent.Count > 0 ? random.Pick(lent) : token;
                return Mutator.Replace(json, start, length, lent.Count > 0 ? donor.AsSpan(other.Start, other.End - other.Start) : raw);
            case 3:
                var own = random.Pick(tokens);
                return Mutator.Replace(json, start, length, json.AsSpan(own.Start, own.End - own.Start));
            case 4:
                return Mutator.Replace(json, start, length, [(byte)'[', .. raw, (byte)']']);
            case 5:
                return Mutator.Replace(json, start, 0, [.. raw, (byte)',']);
            case 6 when raw[0] == '"':
                return Escape(json, token, random);
            case 7 when raw[0] == '"' && length >= 2:
                return Mutator.Replace(json, start + 1 + random.Below(length - 1), 0, random.Pick(Words.InStrings));
            case 8 when raw[0] is (byte)'{' or (byte)'[':
                return Mutator.Replace(json, start, length, raw[0] == '{' ? "{}"u8 : "[]"u8);
            default:
                return Mutator.Replace(json, random.OneIn(2) ? start : token.End, 0, random.Pick(Words.Spaces));
        }
    }

    /// <summary>Other characters in one of its strings; the document stays as valid as it was.</summary>
    public static byte[] Text(byte[] json, FuzzRandom random)
    {
        var strings = Tokens(json).FindAll(t => t.Kind == Kind.Value && json[t.Start] == '"' && t.End - t.Start > 2);
        if (strings.Count == 0)
        {
            return json;
        }

        var token = random.Pick(strings);
        return random.OneIn(2)
            ? Escape(json, token, random)
            : Mutator.Replace(json, random.OneIn(2) ? token.Start + 1 : token.End - 1, 0, random.Pick(Words.Characters));
    }

    /// <summary>A character of a string in its escaped form, or half of what it stands for.</summary>
    private static byte[] Escape(byte[] json, Token token, FuzzRandom random)
    {
        if (token.End - token.Start < 3)
        {
            return json;
        }

        var at = token.Start + 1 + random.Below(token.End - token.Start - 2);
        return json[at] is < 0x80 and not (byte)'\\' && json[at - 1] != '\\'
            ? Mutator.Replace(json, at, 1, System.Text.Encoding.ASCII.GetBytes($"\\u00{json[at]:x2}"))
            : Mutator.Replace(json, at, 1, []);
    }

    private static byte[] WithoutMember(byte[] json, Token name, List<Token> tokens)
    {
        foreach (var token in tokens)
        {
            if (token.Kind == Kind.Value && token.Start > name.Start)
            {
                var end = token.End < json.Length && json[token.End] == ',' ? token.End + 1 : token.End;
                return Mutator.Replace(json, name.Start, end - name.Start, []);
            }
        }

        return json;
    }

    /// <summary>Names and values, by the order of their starts; of a stream those of all its events.</summary>
    private static List<Token> Tokens(byte[] json)
    {
        List<Token> tokens = [];
        Span<int> open = stackalloc int[64];
        var depth = 0;
        for (var i = 0; i < json.Length; i++)
        {
            switch (json[i])
            {
                case (byte)'"':
                    var start = i;
                    for (i++; i < json.Length && json[i] != '"'; i++)
                    {
                        i += json[i] == '\\' ? 1 : 0;
                    }

                    if (i < json.Length)
                    {
                        var next = i + 1;
                        while (next < json.Length && json[next] == ' ')
                        {
                            next++;
                        }

                        tokens.Add(new Token(next < json.Length && json[next] == ':' ? Kind.Name : Kind.Value, start, i + 1));
                    }

                    break;
                case (byte)'{' or (byte)'[' when depth < open.Length:
                    open[depth++] = tokens.Count;
                    tokens.Add(new Token(Kind.Value, i, i + 1));
                    break;
                case (byte)'}' or (byte)']' when depth > 0:
                    var opened = open[--depth];
                    tokens[opened] = tokens[opened] with { End = i + 1 };
                    break;
                case (byte)'-' or (>= (byte)'0' and <= (byte)'9') or (byte)'t' or (byte)'f' or (byte)'n' when depth > 0:
                    var first = i;
                    while (i + 1 < json.Length && (char.IsAsciiLetterOrDigit((char)json[i + 1]) || json[i + 1] is (byte)'.' or (byte)'+' or (byte)'-'))
                    {
                        i++;
                    }

                    tokens.Add(new Token(Kind.Value, first, i + 1));
                    break;
                case (byte)'\n':
                    // Whatever was left open belongs to an event that is over.
                    depth = 0;
                    break;
            }
        }

        return tokens;
    }
}
