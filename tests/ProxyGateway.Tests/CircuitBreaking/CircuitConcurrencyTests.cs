using System.Collections.Concurrent;
using ProxyGateway.StreamingFallback.CircuitBreaking;
using Xunit;

namespace ProxyGateway.Tests.CircuitBreaking;

public sealed class CircuitConcurrencyTests
{
    private const int Callers = 1_000;

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(100)]
    public async Task ThousandCallersAtHalfOpen_ExactlyAsManyProbesGetIn(int probes)
    {
        for (var round = 0; round < 20; round++)
        {
            var circuit = new CircuitUnderTest(options => options.HalfOpenProbes = probes);
            circuit.Open();
            circuit.Time.Advance(TimeSpan.FromSeconds(30));

            var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            var callers = Enumerable.Range(0, Callers).Select(async _ =>
            {
                await gate.Task.ConfigureAwait(false);
                return circuit.Cell.TryEnter(circuit.Settings, out var permit, out var _) ? permit : null;
            }).ToArray();
            gate.SetResult();
            var entered = (await Task.WhenAll(callers)).OfType<CircuitPermit>().ToArray();

            Assert.Equal((probes, probes), (entered.Length, circuit.Cell.Snapshot().Probes));

            // Half of them are given back, from any thread and twice: exactly as many get in again.
            var given = (probes + 1) / 2;
            Parallel.For(0, given * 2, i => entered[i / 2].OnNeutral());
            var again = 0;
            Parallel.For(0, Callers, _ =>
            {
                if (circuit.Cell.TryEnter(circuit.Settings, out var _, out var _))
                {
                    Interlocked.Increment(ref again);
                }
            });
            Assert.Equal(given, again);
        }
    }

    [Fact]
    public void ManyVerdictsOfOnePermitAtOnce_CountOnce()
    {
        for (var round = 0; round < 200; round++)
        {
            var circuit = new CircuitUnderTest();
            var permit = circuit.Enter();
            Parallel.For(0, 32, _ => permit.OnFailure());
            Assert.Equal(1, circuit.Cell.Snapshot().FailuresInARow);
        }
    }

    [Fact]
    public void VerdictsFromManyThreads_NeverLetMoreProbesInThanConfiguredAndTellAnUnbrokenChain()
    {
        var circuit = new CircuitUnderTest(options =>
        {
            options.FailureThreshold = 1;
            options.HalfOpenProbes = 3;
            options.BreakFactor = 1;
            options.BreakDuration = TimeSpan.FromMilliseconds(10);
        });
        var told = new ConcurrentQueue<CircuitTransition>();
        circuit.Cell.Transitioned += told.Enqueue;
        var most = 0;
        Parallel.For(0, 16, thread =>
        {
            var random = new Random(thread);
            for (var i = 0; i < 5_000; i++)
            {
                if (!circuit.Cell.TryEnter(circuit.Settings, out var permit, out _))
                {
                    circuit.Time.Advance(TimeSpan.FromMilliseconds(1));
                    continue;
                }

                InterlockedMax(ref most, circuit.Cell.Snapshot().Probes);
                switch (random.Next(6))
                {
                    case 0:
                        permit.OnFailure();
                        break;
                    case 1:
                        permit.OnNeutral();
                        break;
                    case 2:
                        permit.OnFirstContent(TimeSpan.Zero);
                        permit.OnFailure();
                        break;
                    case 3:
                        permit.OnFirstContent(TimeSpan.Zero);
                        permit.OnSuccess();
                        break;
                    default:
                        permit.OnSuccess();
                        break;
                }
            }
        });

        Assert.InRange(most, 1, 3);
        var from = CircuitStatus.Closed;
        Assert.NotEmpty(told);
        foreach (var transition in told)
        {
            Assert.Equal(from, transition.From);
            from = transition.To;
        }

        Assert.Equal(circuit.Cell.Status, from);
    }

    [Fact]
    public void Attempt_AllocatesAtMostAHundredBytes()
    {
        var circuit = new CircuitUnderTest();
        circuit.Succeed(1_000);
        const int Attempts = 10_000;
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < Attempts; i++)
        {
            circuit.Cell.TryEnter(circuit.Settings, out var permit, out _);
            permit.OnFirstContent(TimeSpan.Zero);
            permit.OnSuccess();
        }

        Assert.InRange((GC.GetAllocatedBytesForCurrentThread() - before) / (double)Attempts, 1, 100);
    }

    private static void InterlockedMax(ref int target, int value)
    {
        for (var seen = Volatile.Read(ref target); value > seen; seen = Volatile.Read(ref target))
        {
            Interlocked.CompareExchange(ref target, value, seen);
        }
    }
}
