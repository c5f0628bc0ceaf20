using System.Globalization;
using CsCheck;
using ProxyGateway.StreamingFallback.CircuitBreaking;
using ProxyGateway.StreamingFallback.Configuration;
using Xunit;

namespace ProxyGateway.Tests.CircuitBreaking;

/// <summary>Random histories of one circuit: after every step the cell says what the <see cref="ReferenceCircuit"/> says.</summary>
public sealed class CircuitModelTests
{
    // Mutation testing asks for fewer: it runs this once for each change of the circuit, and looks at what is left over with all of them.
    private static readonly int Histories =
        int.TryParse(Environment.GetEnvironmentVariable("PROXYGATEWAY_HISTORIES"), CultureInfo.InvariantCulture, out var given) ? given : 100_000;

    private static readonly Gen<Step> s_step = Gen.Select(
        Gen.Frequency(
            (30, StepKind.Enter),
            (22, StepKind.Failure),
            (12, StepKind.Success),
            (10, StepKind.FirstContent),
            (16, StepKind.Advance),
            (6, StepKind.Neutral),
            (3, StepKind.RetryAfter),
            (6, StepKind.Hint),
            (3, StepKind.Settings),
            (2, StepKind.WallClock),
            (1, StepKind.Isolate),
            (1, StepKind.Close),
            (1, StepKind.Reset)),
        Gen.Int[0, int.MaxValue],
        (kind, choice) => new Step(kind, choice));

    private enum StepKind
    {
        Enter,
        Failure,
        Success,
        FirstContent,
        Neutral,
        RetryAfter,
        Hint,
        Advance,
        Settings,
        WallClock,
        Isolate,
        Close,
        Reset,
    }

    [Fact]
    public void RandomHistories_CellAndReferenceNeverDiffer()
    {
        var told = new long[Enum.GetValues<CircuitTransitionReason>().Length];
        Gen.Select(Gen.Int[0, int.MaxValue], s_step.Array[5, 80]).Sample(
            (settings, steps) => Replay(settings, steps, told),
            iter: Histories,
            print: history => $"settings {history.Item1}: {string.Join(' ', history.Item2)}");

        // A generator that never gets there proves nothing about there.
        foreach (var reason in Enum.GetValues<CircuitTransitionReason>())
        {
            Assert.True(told[(int)reason] > Histories / 100, $"{reason} happened {told[(int)reason]} times");
        }
    }

    private static void Replay(int initial, Step[] steps, long[] told)
    {
        var clock = new SplitClock();
        var cell = new CircuitCell(clock, Dice());
        var reference = new ReferenceCircuit(Dice());
        var cellTold = new List<CircuitTransition>();
        cell.Transitioned += cellTold.Add;
        var permits = new List<CircuitPermit>();
        var options = OptionsOf(initial);
        var settings = CircuitBreakerSettings.From(options);

        for (var i = 0; i < steps.Length; i++)
        {
            var (kind, choice) = steps[i];
            switch (kind)
            {
                case StepKind.Enter:
                    var entered = cell.TryEnter(settings, out var permit, out var retryAfter);
                    var wait = reference.Enter(options, permits.Count);
                    permits.Add(permit);
                    Same(i, "entered", wait == 0, entered);
                    Same(i, "retry after", wait, retryAfter.Ticks);
                    break;
                case StepKind.FirstContent when permits.Count > 0:
                    var sinceStart = TimeSpan.FromMilliseconds(choice / 64 % 4 * 500);
                    permits[Recent(choice)].OnFirstContent(sinceStart);
                    reference.FirstContent(Recent(choice), sinceStart.Ticks);
                    break;
                case StepKind.Success when permits.Count > 0:
                    permits[Recent(choice)].OnSuccess();
                    reference.Verdict(Recent(choice), "success", 0);
                    break;
                case StepKind.Failure when permits.Count > 0:
                    permits[Recent(choice)].OnFailure();
                    reference.Verdict(Recent(choice), "failure", 0);
                    break;
                case StepKind.RetryAfter when permits.Count > 0:
                    var minimum = TimeSpan.FromMilliseconds(choice / 64 % 40 * 500);
                    permits[Recent(choice)].OnFailure(minimum);
                    reference.Verdict(Recent(choice), "failure", minimum.Ticks);
                    break;
                case StepKind.Neutral when permits.Count > 0:
                    permits[Recent(choice)].OnNeutral();
                    reference.Verdict(Recent(choice), "neutral", 0);
                    break;
                case StepKind.Hint:
                    var length = TimeSpan.FromMilliseconds(((choice / 64 % 40) - 1) * 500);
                    Same(i, "news", reference.Hint(length.Ticks), cell.Hint(length));
                    break;
                case StepKind.Advance:
                    clock.Advance(Lapse(choice, reference, options));
                    reference.Now = clock.Elapsed.Ticks;
                    break;
                case StepKind.WallClock:
                    clock.SetWallClock(clock.GetUtcNow().AddMinutes((choice % 2_000_000) - 1_000_000));
                    break;
                case StepKind.Settings:
                    options = OptionsOf(choice);
                    settings = CircuitBreakerSettings.From(options);
                    break;
                case StepKind.Isolate:
                    cell.Isolate();
                    reference.Isolate();
                    break;
                case StepKind.Close:
                    cell.Close();
                    reference.CloseByHand(reset: false);
                    break;
                case StepKind.Reset:
                    cell.Reset();
                    reference.CloseByHand(reset: true);
                    break;
            }

            var seen = cell.Snapshot();
            Same(i, "status", reference.Status, seen.Status);
            Same(i, "time to half-open", reference.TimeToHalfOpen, seen.TimeToHalfOpen.Ticks);
            Same(i, "hint", reference.Hinted, seen.Hinted.Ticks);
            Same(i, "probation", reference.OnProbation, seen.OnProbation);
            Same(i, "probes", reference.Probes, seen.Probes);
            Same(i, "breaks in a row", reference.BreaksInARow, seen.BreaksInARow);
            if (reference is { Status: CircuitStatus.Closed, OnProbation: false })
            {
                Same(i, "failures in a row", reference.FailuresInARow, seen.FailuresInARow);
            }
        }

        Assert.Equal(reference.Told, cellTold.Select(each => (each.From, each.To, each.Reason, each.Break.Ticks)));
        foreach (var transition in cellTold)
        {
            Interlocked.Increment(ref told[(int)transition.Reason]);
        }

        // Mostly one of the latest permits; any of the last 32, whose verdicts come late or twice.
        int Recent(int choice) => permits.Count - 1 - (int.TrailingZeroCount(choice % 64 + 64) * (choice % 5 + 1) % permits.Count);
    }

    private static void Same<T>(int step, string what, T expected, T actual)
    {
        if (!EqualityComparer<T>.Default.Equals(expected, actual))
        {
            throw new InvalidOperationException($"step {step}: {what}: reference {expected}, cell {actual}");
        }
    }

    // Quarters, because sums and products of them are exact: a difference is never one of rounding.
    private static Func<double> Dice()
    {
        var thrown = 0;
        return () => thrown++ * 3 % 4 / 4.0;
    }

    private static TimeSpan Lapse(int choice, ReferenceCircuit reference, CircuitBreakerOptions options)
    {
        var toHalfOpen = TimeSpan.FromTicks(reference.TimeToHalfOpen is long.MaxValue or 0 ? 1 : reference.TimeToHalfOpen);
        return (choice % 12) switch
        {
            0 => TimeSpan.FromTicks(1),
            1 => TimeSpan.FromMilliseconds(10),
            2 => TimeSpan.FromMilliseconds(333),
            3 => TimeSpan.FromSeconds(1),
            4 => TimeSpan.FromSeconds(7),
            5 => TimeSpan.FromMinutes(2),
            6 or 7 or 8 => toHalfOpen,
            9 => toHalfOpen - TimeSpan.FromTicks(1),
            10 => options.ProbeTimeout,
            _ => options.SamplingDuration / 10,
        };
    }

    private static CircuitBreakerOptions OptionsOf(int choice)
    {
        var breakDuration = Pick(0.01, 1, 5);
        return new CircuitBreakerOptions
        {
            Enabled = Pick(1, 1, 1, 1, 1, 1, 1, 0) == 1,
            Mode = Pick(0, 0, 1) == 1 ? CircuitBreakerMode.Ratio : CircuitBreakerMode.Consecutive,
            FailureThreshold = (int)Pick(1, 2, 3, 4),
            FailureRatio = Pick(0.25, 0.5, 1),
            SamplingDuration = TimeSpan.FromSeconds(Pick(0.5, 1, 7, 30, 3600)),
            MinimumThroughput = (int)Pick(2, 3, 5),
            BreakDuration = TimeSpan.FromSeconds(breakDuration),
            MaxBreakDuration = TimeSpan.FromSeconds(breakDuration * Pick(1, 3, 100)),
            BreakFactor = Pick(1, 1.5, 2, 10),
            BreakJitter = Pick(0, 0.25, 0.5),
            HalfOpenProbes = (int)Pick(1, 2, 3),
            ProbeTimeout = TimeSpan.FromSeconds(Pick(0.01, 2, 60)),
            SlowCallThreshold = TimeSpan.FromSeconds(Pick(0, 0, 1)),
        };

        double Pick(params ReadOnlySpan<double> from)
        {
            // One choice is spread over many options; it need not be fair.
            choice = (int)((((uint)choice * 1_664_525) + 1_013_904_223) >> 1);
            return from[(choice >> 8) % from.Length];
        }
    }

    private readonly record struct Step(StepKind Kind, int Choice)
    {
        public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Kind}:{Choice}");
    }
}
