namespace ProxyGateway.SimulationTests.Fuzzing;

/// <summary>Changes bytes as bytes, as JSON and as events.</summary>
internal static class Mutator
{
    /// <summary>So that inputs, and with them a run, stay small.</summary>
    public const int Longest = 16 * 1024;

    /// <summary>One to four changes somewhere in a stream of events; <paramref name="donor"/> lends some.</summary>
    public static byte[] Stream(byte[] stream, byte[] donor, bool isLines, FuzzRandom random)
    {
        for (var changes = 1 + random.Below(4); changes > 0; changes--)
        {
            stream = random.Below(10) switch
            {
                < 2 => Bytes(stream, random),
                < 7 => JsonMutator.Change(stream, donor, random),
                _ => Events(stream, donor, isLines, random),
            };
        }

        return stream.Length > Longest ? stream[..Longest] : stream;
    }

    /// <summary>One to three changes somewhere in a document.</summary>
    public static byte[] Document(byte[] document, byte[] donor, FuzzRandom random)
    {
        for (var changes = 1 + random.Below(3); changes > 0; changes--)
        {
            document = random.OneIn(5) ? Bytes(document, random) : JsonMutator.Change(document, donor, random);
        }

        return document.Length > Longest ? document[..Longest] : document;
    }

    /// <summary>One change that knows of nothing but bytes and words.</summary>
    public static byte[] Bytes(byte[] bytes, FuzzRandom random)
    {
        var at = random.Below(bytes.Length + 1);
        var length = random.Below(Math.Min(bytes.Length - at, random.OneIn(4) ? 400 : 12) + 1);
        switch (random.Below(7))
        {
            case 0 when at < bytes.Length:
                byte[] changed = [.. bytes];
                changed[at] = random.OneIn(2) ? random.Pick(Words.Interesting) : (byte)random.Next();
                return changed;
            case 1 when at < bytes.Length:
                byte[] flipped = [.. bytes];
                flipped[at] ^= (byte)(1 << random.Below(8));
                return flipped;
            case 2:
                return Replace(bytes, at, length, []);
            case 3:
                return Replace(bytes, at, 0, bytes.AsSpan(at, length));
            case 4:
                return Replace(bytes, at, 0, [random.Pick(Words.Interesting)]);
            case 5:
                return bytes[..at];
            default:
                return Replace(bytes, at, random.OneIn(2) ? length : 0, random.Pick(Words.All));
        }
    }

    public static byte[] Replace(byte[] bytes, int at, int length, ReadOnlySpan<byte> with) => [.. bytes.AsSpan(0, at), .. with, .. bytes.AsSpan(at + length)];

    /// <summary>Leaves out, doubles, swaps, borrows or frames anew whole events.</summary>
    public static byte[] Events(byte[] stream, byte[] donor, bool isLines, FuzzRandom random)
    {
        var ends = Ends(stream, isLines);
        if (ends.Count < 2)
        {
            return stream;
        }

        var one = random.Below(ends.Count - 1);
        var (start, end) = (ends[one], ends[one + 1]);
        var raw = stream.AsSpan(start, end - start);
        switch (random.Below(8))
        {
            case 0:
                return Replace(stream, start, end - start, []);
            case 1:
                return Replace(stream, end, 0, raw);
            case 2:
                var other = random.Below(ends.Count - 1);
                return Replace(stream, ends[other], 0, raw);
            case 3:
                var lent = Ends(donor, isLines);
                var which = random.Below(lent.Count);
                return lent.Count < 2 ? stream : Replace(stream, start, 0, donor.AsSpan()[lent[Math.Max(which - 1, 0)]..lent[which]]);
            case 4:
                return Replace(stream, start, 0, random.Pick(isLines ? Words.Lines : Words.Events));
            case 5:
                return LineEnds(stream, random);
            case 6:
                return Replace(stream, start, 0, random.Pick(Words.Fields));
            default:
                // A line end inside an event: the rest of it becomes a line of its own, with data or without.
                return Replace(stream, start + random.Below(raw.Length), 0, random.OneIn(2) ? "\ndata: "u8 : random.Pick(Words.LineEnds));
        }
    }

    /// <summary>Events of no meaning between the others, fields in front of them, and other line ends.</summary>
    public static byte[] Noise(byte[] stream, FuzzRandom random)
    {
        var ends = Ends(stream, isLines: false);
        return random.Below(3) switch
        {
            0 => LineEnds(stream, random),
            1 => Replace(stream, random.Pick(ends), 0, random.Pick(Words.Fields)),
            _ => Replace(stream, random.Pick(ends), 0, random.Pick((byte[][])[":\n\n"u8.ToArray(), "\n"u8.ToArray(), "retry: 5\n\n"u8.ToArray(), "data: {oops\n\n"u8.ToArray(), "data: \n\n"u8.ToArray()])),
        };
    }

    private static byte[] LineEnds(byte[] stream, FuzzRandom random)
    {
        var all = random.OneIn(2);
        var with = random.Pick(Words.LineEnds);
        List<byte> changed = new(stream.Length + 64);
        foreach (var b in stream)
        {
            if (b == (byte)'\n' && (all || random.OneIn(3)))
            {
                changed.AddRange(with);
            }
            else
            {
                changed.Add(b);
            }
        }

        return [.. changed];
    }

    /// <summary>Where events end, roughly, with 0 in front.</summary>
    private static List<int> Ends(byte[] stream, bool isLines)
    {
        List<int> ends = [0];
        for (var i = 1; i < stream.Length; i++)
        {
            if (isLines ? stream[i] == '\n' : stream[i] is (byte)'\n' or (byte)'\r' && (stream[i - 1] == stream[i] || (i > 2 && stream[i] == '\n' && stream[i - 2] == '\n')))
            {
                ends.Add(i + 1);
            }
        }

        return ends;
    }
}
