namespace ProxyGateway.Backplane;

/// <summary>Rounds, one after the other, for as long as one configuration of the backplane holds. Whatever the server does, it goes on.</summary>
internal sealed class BackplaneLoop(BackplaneRound round, Func<BackplaneSettings, Task<IBackplaneStore>> connect, BackplaneMetrics metrics, ILogger logger, TimeProvider time)
{
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(10);

    private readonly BackplaneVoice _voice = new(logger, time);

    public async Task RunAsync(BackplaneSettings settings, CancellationToken stop)
    {
        IBackplaneStore? store = null;
        var failures = 0;
        metrics.Begin();
        try
        {
            while (!stop.IsCancellationRequested)
            {
                (store, var answer) = await TurnAsync(store, settings);
                // A value that nobody can read is somebody else's; the server is there all the same.
                var isUp = answer.Outcome is StoreOutcome.Good or StoreOutcome.Invalid && store is not null;
                if (answer.Outcome != StoreOutcome.Good)
                {
                    metrics.Failed(answer.Outcome);
                }

                metrics.Done(isUp);
                _voice.Tell(isUp, answer);
                failures = isUp ? 0 : failures + 1;
                await Task.Delay(Pause(settings.Interval, failures), time, stop);
            }
        }
        catch (OperationCanceledException)
        {
            // Another configuration, or the end of the process.
        }
        finally
        {
            round.Forget();
            if (store is not null)
            {
                await store.DisposeAsync();
            }
        }
    }

    public static TimeSpan Pause(TimeSpan interval, int failures)
    {
        var longest = interval > LongestPause ? interval : LongestPause;
        var pause = interval * Math.Pow(2, Math.Clamp(failures - 1, 0, 10));
        return pause < longest ? pause : longest;
    }

    /// <summary>A round, with a new connection where there is none; one that failed it is not kept.</summary>
    private async Task<(IBackplaneStore?, StoreAnswer)> TurnAsync(IBackplaneStore? store, BackplaneSettings settings)
    {
        StoreAnswer answer;
        try
        {
            round.BeginSeries();
            store ??= await connect(settings);
            answer = await round.RunAsync(store, settings);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            answer = RedisStore.Judge(e);
            if (store is null)
            {
                return (null, answer);
            }
        }

        if (answer.Outcome is StoreOutcome.Unreachable or StoreOutcome.TimedOut)
        {
            await store.DisposeAsync();
            store = null;
        }

        return (store, answer);
    }
}
