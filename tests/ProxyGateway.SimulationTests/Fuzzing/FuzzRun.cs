using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace ProxyGateway.SimulationTests.Fuzzing;

/// <summary>A kind of failure, how often it was met, and one input for it.</summary>
internal sealed record FuzzFailure(string Problem, string Case, FuzzInput Smallest, long Count);

/// <summary>What some runs of one target came to.</summary>
internal sealed record FuzzResult(string Target, ulong Seed, long From, long Runs, TimeSpan Took, TimeSpan Slowest, IReadOnlyCollection<FuzzFailure> Failures)
{
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"{Target}: {Runs} runs from {From} with seed {Seed} in {Took.TotalSeconds:0} s, {Failures.Sum(f => f.Count)} failed, the slowest took {Slowest.TotalMilliseconds:0} ms");

    public string Describe()
    {
        var text = new StringBuilder().AppendLine(ToString());
        foreach (var failure in Failures.OrderByDescending(f => f.Count))
        {
            text.AppendLine(CultureInfo.InvariantCulture, $"{failure.Count} × {failure.Problem}");
            text.AppendLine(CultureInfo.InvariantCulture, $"  PROXYGATEWAY_FUZZ_CASE={failure.Case}, made smaller:");
            text.AppendLine(CultureInfo.InvariantCulture, $"  {failure.Smallest}");
        }

        return text.ToString();
    }
}

/// <summary>Runs a target again and again, counts what fails, makes the first input of each kind smaller.</summary>
internal sealed class FuzzRun(FuzzTarget target, ulong seed) : IDisposable
{
    /// <summary>Generous: other processes want the processor too, and a real hang lasts for ever.</summary>
    private static readonly TimeSpan HangsAfter = TimeSpan.FromMinutes(2);

    /// <summary>Checks spent on making one input smaller.</summary>
    private const int MaxShrinks = 20_000;

    private readonly Dictionary<string, FuzzFailure> _failures = [];
    private Timer? _watch;
    private long _run;

    /// <summary>Runs <paramref name="from"/> and those that follow: so many, or as many as fit into a time.</summary>
    public FuzzResult Run(long from, long runs, TimeSpan? atMost = null)
    {
        _run = from;
        Watch();
        var slowest = TimeSpan.Zero;
        var started = Stopwatch.GetTimestamp();
        var before = started;
        for (; _run < from + runs; Volatile.Write(ref _run, _run + 1))
        {
            var input = target.Make(FuzzRandom.Of(seed, _run));
            if (Problem(input) is { } problem)
            {
                Add(problem, input);
            }

            var now = Stopwatch.GetTimestamp();
            slowest = TimeSpan.FromTicks(Math.Max(slowest.Ticks, Stopwatch.GetElapsedTime(before, now).Ticks));
            before = now;
            if (Stopwatch.GetElapsedTime(started, now) > atMost)
            {
                _run++;
                break;
            }
        }

        return new FuzzResult(target.Name, seed, from, _run - from, Stopwatch.GetElapsedTime(started), slowest, _failures.Values);
    }

    public void Dispose() => _watch?.Dispose();

    /// <summary>A run that never returns cannot report itself.</summary>
    private void Watch()
    {
        var last = -1L;
        _watch = new Timer(
            _ =>
            {
                var now = Volatile.Read(ref _run);
                if (now == last)
                {
                    Environment.FailFast($"hang: PROXYGATEWAY_FUZZ_CASE={target.Name}/{seed}/{now}");
                }

                last = now;
            },
            null,
            HangsAfter,
            HangsAfter);
    }

    private string? Problem(FuzzInput input)
    {
        try
        {
            return target.Check(input);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            var place = e.StackTrace?.Split('\n').FirstOrDefault(l => l.Contains("ProxyGateway.", StringComparison.Ordinal))?.Trim();
            return $"{e.GetType().Name}: {e.Message} {place}";
        }
    }

    private void Add(string problem, FuzzInput input)
    {
        var kind = Kind(problem);
        if (_failures.TryGetValue(kind, out var known))
        {
            _failures[kind] = known with { Count = known.Count + 1 };
            return;
        }

        // Beyond so many kinds nobody reads on.
        var smallest = _failures.Count < 40 ? Shrink(input, kind) : input;
        _failures[kind] = new FuzzFailure(Problem(smallest) ?? problem, $"{target.Name}/{seed}/{_run}", smallest, 1);
    }

    /// <summary>The problem without what differs from input to input: digits and quoted text.</summary>
    private static string Kind(string problem)
    {
        var kind = new StringBuilder();
        var quoted = false;
        foreach (var c in problem.AsSpan(0, Math.Min(problem.Length, 200)))
        {
            quoted ^= c is '`' or '"';
            if (!quoted && !char.IsAsciiDigit(c))
            {
                kind.Append(c);
            }
        }

        return kind.ToString();
    }

    /// <summary>Leaves out halves, quarters and at last single bytes, as long as the same kind of failure remains.</summary>
    private FuzzInput Shrink(FuzzInput input, string kind)
    {
        var left = MaxShrinks;
        for (var part = 0; part < input.Parts.Length; part++)
        {
            for (var size = Math.Max(input.Parts[part].Length / 2, 1); size > 0 && left > 0; size /= 2)
            {
                for (var at = 0; at + size <= input.Parts[part].Length && left > 0; left--)
                {
                    var bytes = input.Parts[part];
                    var smaller = input.With(part, [.. bytes.AsSpan(0, at), .. bytes.AsSpan(at + size)]);
                    if (Problem(smaller) is { } problem && Kind(problem) == kind)
                    {
                        input = smaller;
                    }
                    else
                    {
                        at += size;
                    }
                }
            }
        }

        return input;
    }
}
