using Microsoft.Extensions.Logging;
using ProxyGateway.StreamingFallback.ClientStream;
using ProxyGateway.StreamingFallback.Telemetry;
using Yarp.ReverseProxy;

namespace ProxyGateway.StreamingFallback.Exchange;

/// <summary>What every exchange needs of the application.</summary>
internal sealed class ExchangeServices(ClusterVisits visits, IProxyStateLookup clusters, GatewayMetrics metrics, LiveExchanges live, TimeProvider time, DrainSignal drain)
{
    public ClusterVisits Visits => visits;

    public IProxyStateLookup Clusters => clusters;

    public GatewayMetrics Metrics => metrics;

    public LiveExchanges Live => live;

    public TimeProvider Time => time;

    public DrainSignal Drain => drain;

    /// <summary>
    /// Runs an exchange to its ending: counted, seen while in flight, logged, and never without an answer. Disposes of it then, and
    /// leaves the gate over all routes, which the caller has entered for it.
    /// </summary>
    public async Task RunAsync(ClientExchange exchange, IExchangeRunner runner, ILogger logger)
    {
        try
        {
            metrics.Started(exchange.RouteId);
            var inFlight = live.Begin(exchange);
            try
            {
                await runner.RunAsync();
            }
            catch (StreamTerminatedException)
            {
                throw;
            }
            catch (OperationCanceledException) when (exchange.Client.Aborted.IsCancellationRequested)
            {
                exchange.Outcome = ExchangeOutcome.ClientGone;
            }
            catch (Exception e)
            {
                ExchangeLog.Crashed(logger, e, exchange.RouteId, exchange.RequestId);
                exchange.Note(new Fault(e is OutOfMemoryException ? FaultKind.OwnLimit : FaultKind.GatewayError, FaultPhase.Connect), exchange.ClusterId);
                await runner.GiveUpAsync();
            }
            finally
            {
                live.End(inFlight);
                ExchangeLog.Ended(logger, exchange);
                metrics.Ended(exchange);
                BreakOffIfCancelled(exchange);
            }
        }
        finally
        {
            exchange.Dispose();
            visits.Limits.All.Leave();
        }
    }

    /// <summary>
    /// What cancels a request need not be its client: a middleware of the application (request timeouts) may have put its own token in
    /// place. The client is there then, and would take the clean end that follows for the answer's.
    /// </summary>
    private static void BreakOffIfCancelled(ClientExchange exchange)
    {
        if (exchange.Client.Aborted.IsCancellationRequested)
        {
            exchange.Http.Abort();
        }
    }
}

/// <summary>Carries an exchange to its ending.</summary>
internal interface IExchangeRunner
{
    ValueTask RunAsync();

    /// <summary>Something in <see cref="RunAsync"/> failed that is not the upstream's: gives the ending that is possible.</summary>
    Task GiveUpAsync();
}
