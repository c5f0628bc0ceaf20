using System.Globalization;

namespace ProxyGateway.DemoAgents;

/// <summary>What a demo agent does with a request. The lower-case name is the one used in model names.</summary>
public enum DemoBehaviorKind
{
    /// <summary>A whole answer.</summary>
    Good,

    /// <summary>n content events, then a TCP reset (HTTP/2: RST_STREAM).</summary>
    Reset,

    /// <summary>n content events, then the clean end of the body without the format's terminal.</summary>
    Clean,

    /// <summary>n content events and half of the next one, then the connection ends without the body's terminator.</summary>
    Half,

    /// <summary>n content events, then silence on an open connection.</summary>
    Stall,

    /// <summary>503 with <c>Retry-After: n</c>, streaming or not.</summary>
    Refuse,

    /// <summary>The first content comes n milliseconds late, streaming or not.</summary>
    Slow,

    /// <summary>n content events, then the format's error event and the clean end of the body.</summary>
    Error,

    /// <summary>As <see cref="Reset"/>; and the non-streaming answer to the same request has another text.</summary>
    Diverge,

    /// <summary>As <see cref="Reset"/>, but the answer is a tool call, which is in flight when the connection dies.</summary>
    Tool,

    /// <summary>A whole answer that is a tool call.</summary>
    Call,
}

/// <summary>A behavior and its number; the meaning of the number is the kind's.</summary>
public readonly record struct DemoBehavior(DemoBehaviorKind Kind, int? Number = null)
{
    private const string ModelPrefix = "demo-";

    public static DemoBehavior Good => new(DemoBehaviorKind.Good);

    /// <summary>Reads <c>demo-&lt;kind&gt;[-n]</c>; routers put a provider in front (<c>provider,model</c> or <c>provider/model</c>), which is skipped.</summary>
    public static bool TryFromModel(string? model, out DemoBehavior behavior)
    {
        var name = model.AsSpan();
        name = name[(name.LastIndexOfAny(',', '/') + 1)..];
        behavior = Good;
        return name.StartsWith(ModelPrefix, StringComparison.Ordinal) && TryParse(name[ModelPrefix.Length..], out behavior);
    }

    /// <summary>Reads <c>&lt;kind&gt;[-n]</c>, for example <c>reset-12</c>.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out DemoBehavior behavior)
    {
        behavior = Good;
        int? number = null;
        var dash = text.IndexOf('-');
        if (dash >= 0)
        {
            if (!int.TryParse(text[(dash + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out var parsed))
            {
                return false;
            }

            number = parsed;
            text = text[..dash];
        }

        foreach (var kind in Enum.GetValues<DemoBehaviorKind>())
        {
            if (text.SequenceEqual(NameOf(kind)))
            {
                behavior = new DemoBehavior(kind, number);
                return true;
            }
        }

        return false;
    }

    public override string ToString() =>
        Number is { } number ? string.Create(CultureInfo.InvariantCulture, $"{NameOf(Kind)}-{number}") : NameOf(Kind);

    /// <summary>
    /// What a model name means for a non-streaming request: a death in mid-stream is the stream's alone, so that the
    /// replay of the same request succeeds.
    /// </summary>
    internal DemoBehavior ForNonStreaming() => Kind switch
    {
        DemoBehaviorKind.Reset or DemoBehaviorKind.Clean or DemoBehaviorKind.Half or DemoBehaviorKind.Stall or DemoBehaviorKind.Error => Good,
        DemoBehaviorKind.Tool => new DemoBehavior(DemoBehaviorKind.Call),
        _ => this,
    };

    private static string NameOf(DemoBehaviorKind kind) => kind switch
    {
        DemoBehaviorKind.Good => "good",
        DemoBehaviorKind.Reset => "reset",
        DemoBehaviorKind.Clean => "clean",
        DemoBehaviorKind.Half => "half",
        DemoBehaviorKind.Stall => "stall",
        DemoBehaviorKind.Refuse => "refuse",
        DemoBehaviorKind.Slow => "slow",
        DemoBehaviorKind.Error => "error",
        DemoBehaviorKind.Diverge => "diverge",
        DemoBehaviorKind.Tool => "tool",
        DemoBehaviorKind.Call => "call",
        _ => throw new ArgumentOutOfRangeException(nameof(kind)),
    };
}
