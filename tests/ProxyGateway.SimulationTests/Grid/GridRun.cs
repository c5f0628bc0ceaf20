using System.Diagnostics;
using ProxyGateway.TestKit.Contract;

namespace ProxyGateway.SimulationTests.Grid;

/// <summary>A case that broke the contract.</summary>
internal sealed record GridFailure(GridCase Case, IReadOnlyList<Violation> Violations)
{
    public override string ToString() => $"{Case}: {string.Join("; ", Violations)}";
}

/// <summary>What a run came to.</summary>
internal sealed record GridResult(long Cases, long Failed, IReadOnlyList<GridFailure> Failures, IReadOnlyDictionary<string, long> Kinds, TimeSpan Time)
{
    public override string ToString() =>
        $"{Cases} cases, {Failed} with violations, {Time.TotalSeconds:0.0} s ({Cases / Math.Max(Time.TotalSeconds, 0.001):0} cases/s)";
}

/// <summary>Runs many cases on all cores.</summary>
internal static class GridRun
{
    /// <summary>Combinations for each cut of a recorded stream in a full run.</summary>
    private const int PerRecordedCut = 4;

    /// <summary>So many failures are kept; the rest is counted by kind.</summary>
    private const int KeptFailures = 20;

    private const int Batch = 64;

    /// <summary>Every combination of every own stream, and some for every cut of the recorded ones.</summary>
    public static GridResult Full(IReadOnlyList<GridSubject> subjects, int seed)
    {
        var ends = new long[subjects.Count];
        var count = 0L;
        for (var i = 0; i < subjects.Count; i++)
        {
            ends[i] = count += Size(subjects[i]);
        }

        return Run(count, n =>
        {
            var i = Array.BinarySearch(ends, n + 1);
            i = i < 0 ? ~i : i;
            var subject = subjects[i];
            var within = n - (i == 0 ? 0 : ends[i - 1]);
            if (!subject.Stream.Recorded)
            {
                return At(subject, within, seed);
            }

            var cut = within / PerRecordedCut;
            return At(subject, (cut * GridCase.PerCut) + Mix(n, seed, GridCase.PerCut), seed);
        });
    }

    private static long Size(GridSubject subject) => subject.Stream.Recorded ? (subject.Stream.Bytes.Length + 1L) * PerRecordedCut : Combinations(subject);

    /// <summary>Every ending at every byte, and those between events at every event's end.</summary>
    private static long Combinations(GridSubject subject) =>
        ((subject.Stream.Bytes.Length + 1L) * GridCase.PerCut) + ((long)subject.Boundaries.Count * GridCase.PerBoundary);

    /// <summary>A seeded choice of <paramref name="count"/> cases; longer streams have more of them.</summary>
    public static GridResult Sample(IReadOnlyList<GridSubject> subjects, int seed, long count)
    {
        var total = subjects.Sum(Weight);
        return Run(count, n =>
        {
            var at = Mix(n, seed, total);
            foreach (var subject in subjects)
            {
                if (at < Weight(subject))
                {
                    return At(subject, Anywhere(subject, n, seed), seed);
                }

                at -= Weight(subject);
            }

            throw new UnreachableException();
        });
    }

    /// <summary>A recorded stream costs more and tells less per byte.</summary>
    private static int Weight(GridSubject subject) => subject.Stream.Recorded ? 60 : subject.Stream.Bytes.Length + 1;

    /// <summary>One of ten cases lies between two events.</summary>
    private static long Anywhere(GridSubject subject, long n, int seed)
    {
        var bytes = (subject.Stream.Bytes.Length + 1L) * GridCase.PerCut;
        return Mix(n, seed + 1, 10) == 0
            ? bytes + ((long)Mix(n, seed + 2, subject.Boundaries.Count) * GridCase.PerBoundary) + Mix(n, seed + 3, GridCase.PerBoundary)
            : ((long)Mix(n, seed + 2, subject.Stream.Bytes.Length + 1) * GridCase.PerCut) + Mix(n, seed + 3, GridCase.PerCut);
    }

    private static GridCase At(GridSubject subject, long combination, int seed)
    {
        var bytes = (subject.Stream.Bytes.Length + 1L) * GridCase.PerCut;
        var isBetween = combination >= bytes;
        var (place, within) = Math.DivRem(isBetween ? combination - bytes : combination, isBetween ? GridCase.PerBoundary : GridCase.PerCut);
        var (rest, chunk) = Math.DivRem((int)within, GridCase.Chunks.Length);
        var (end, replay) = Math.DivRem(rest, GridCase.Replays.Length);
        return new GridCase(
            subject, isBetween ? subject.Boundaries[(int)place] : (int)place, (isBetween ? GridCase.EndsBetweenEvents : GridCase.Ends)[end], GridCase.Replays[replay], GridCase.Chunks[chunk], seed);
    }

    /// <summary>SplitMix64: an even number below <paramref name="below"/> for each <paramref name="n"/>, the same in every process.</summary>
    private static int Mix(long n, int seed, int below)
    {
        var z = unchecked(((ulong)n * 0x9E3779B97F4A7C15UL) + ((ulong)(uint)seed * 0xD1B54A32D192ED03UL) + 0x9E3779B97F4A7C15UL);
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9UL;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBUL;
        return (int)((z ^ (z >> 31)) % (uint)below);
    }

    private static GridResult Run(long count, Func<long, GridCase> caseOf)
    {
        var watch = Stopwatch.StartNew();
        var gate = new Lock();
        var next = 0L;
        var failed = 0L;
        List<GridFailure> failures = [];
        Dictionary<string, long> kinds = [];
        // Own threads: a test's scheduler would see to it that nothing is deterministic.
        var workers = Enumerable.Range(0, Environment.ProcessorCount).Select(_ => new Thread(Work)).ToList();
        workers.ForEach(w => w.Start());
        workers.ForEach(w => w.Join());
        return new GridResult(count, failed, failures, kinds, watch.Elapsed);

        void Work()
        {
            using var exchange = new GridExchange();
            for (var begin = Interlocked.Add(ref next, Batch) - Batch; begin < count; begin = Interlocked.Add(ref next, Batch) - Batch)
            {
                for (var n = begin; n < Math.Min(count, begin + Batch); n++)
                {
                    var @case = caseOf(n);
                    var violations = Judge(exchange, @case);
                    if (violations.Count > 0)
                    {
                        Note(new GridFailure(@case, violations));
                    }
                }
            }
        }

        void Note(GridFailure failure)
        {
            lock (gate)
            {
                failed++;
                var isNew = false;
                foreach (var violation in failure.Violations)
                {
                    isNew |= kinds.TryAdd(violation.ToString(), 0);
                    kinds[violation.ToString()]++;
                }

                if (failures.Count < KeptFailures || isNew)
                {
                    failures.Add(failure);
                }
            }
        }
    }

    private static IReadOnlyList<Violation> Judge(GridExchange exchange, GridCase @case)
    {
        try
        {
            return exchange.Run(@case).Violations;
        }
        catch (Exception e)
        {
            return [new Violation(0, $"the simulation itself failed: {e}")];
        }
    }
}
