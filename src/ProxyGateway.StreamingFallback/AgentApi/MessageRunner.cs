using Microsoft.AspNetCore.Http;
using ProxyGateway.StreamingFallback.ChatFormats;
using ProxyGateway.StreamingFallback.CircuitBreaking;
using ProxyGateway.StreamingFallback.Exchange;
using ProxyGateway.StreamingFallback.Telemetry;
using Yarp.ReverseProxy.Model;

namespace ProxyGateway.StreamingFallback.AgentApi;

/// <summary>
/// <c>POST /message</c>: sent once, whatever happens, and answered with what agentapi answers. A busy agent answers 500, so a 500 says
/// nothing about its health.
/// </summary>
internal sealed class MessageRunner(AgentExchange exchange, RequestDelegate next, ExchangeServices services) : AgentRunner(exchange, next, services)
{
    protected override async ValueTask<VisitResult> VisitAsync(CircuitPermit permit, ClusterState state)
    {
        using var call = new AgentCall(Exchange, Services.Drain.EndStreams);
        var outcome = await CallAsync(call, state, AttemptMode.NonStreaming, only: null);
        switch (outcome.Result)
        {
            case AttemptResult.Complete:
                return await FinishAsync(permit, call, outcome, CircuitVerdict.Success);
            case AttemptResult.Answer when outcome.Fault.Status == StatusCodes.Status500InternalServerError || !Cluster.RetryStatuses.Contains(outcome.Fault.Status):
                return await FinishAsync(permit, call, outcome, CircuitVerdict.Neutral);
            case AttemptResult.Answer:
                Exchange.Note(outcome.Fault, Cluster.ClusterId);
                return await FinishAsync(permit, call, outcome, CircuitVerdict.Failure);
            default:
                return await BreakOffAsync(permit, outcome);
        }
    }
}
