using System.Diagnostics;
using ProxyGateway.IntegrationTests.Gateway;
using ProxyGateway.TestKit.Chats;
using ProxyGateway.TestKit.Client;
using Xunit;

namespace ProxyGateway.IntegrationTests.Hostile;

/// <summary>An ordinary client beside the hostile ones: a short stream again and again, and how long each took.</summary>
internal sealed class Probe : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
    private readonly List<double> _milliseconds = [];
    private readonly List<string> _failures = [];
    private readonly Task _running;

    public Probe(Uri address, TimeSpan pause) => _running = RunAsync(address, pause);

    public int Count => _milliseconds.Count + _failures.Count;

    public IReadOnlyList<string> Failures => _failures;

    public double Percentile(double p)
    {
        var sorted = _milliseconds.Order().ToList();
        return sorted.Count == 0 ? double.NaN : sorted[(int)Math.Min(sorted.Count - 1, p / 100 * sorted.Count)];
    }

    public async Task StopAsync()
    {
        await _stop.CancelAsync();
        await _running;
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _stop.Dispose();
    }

    /// <summary>One ordinary stream, in full.</summary>
    public static async Task<HttpResult> AskAsync(Uri address, TimeSpan timeout) => await RawHttpClient.SendAsync(
        new HttpCall { Address = address, Body = Chat.Default.Request(), Timeout = timeout }, TestContext.Current.CancellationToken);

    private async Task RunAsync(Uri address, TimeSpan pause)
    {
        while (!_stop.IsCancellationRequested)
        {
            var since = Stopwatch.GetTimestamp();
            var result = await RawHttpClient.SendAsync(new HttpCall { Address = address, Body = Chat.Default.Request(), Timeout = TimeSpan.FromSeconds(10) });
            if (result.Status == 200 && result.IsDone())
            {
                _milliseconds.Add(Stopwatch.GetElapsedTime(since).TotalMilliseconds);
            }
            else
            {
                _failures.Add($"{result.Status} {result.Ending} {result.ErrorCode()}");
            }

            try
            {
                await Task.Delay(pause, _stop.Token);
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }
}
