using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;
using ProxyGateway.TestKit.Contract;

namespace ProxyGateway.TestKit.Upstream;

/// <summary>The same scripts over HTTP/2 with prior knowledge, on Kestrel.</summary>
public sealed class ScriptedHttp2Upstream : UpstreamBase, IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly CancellationTokenSource _stop = new();

    private ScriptedHttp2Upstream(WebApplication app) => _app = app;

    public override Uri Address => new(_app.Urls.First());

    public static async Task<ScriptedHttp2Upstream> StartAsync(params UpstreamScript[] scripts)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        ScriptedHttp2Upstream? upstream = null;
        builder.WebHost.ConfigureKestrel(options =>
        {
            options.AddServerHeader = false;
            options.Limits.MaxRequestBodySize = null;
            options.Listen(System.Net.IPAddress.Loopback, 0, listen =>
            {
                listen.Protocols = HttpProtocols.Http2;
                listen.Use(next => async context =>
                {
                    context.Items["number"] = upstream!.ConnectionOpened();
                    try
                    {
                        await next(context).ConfigureAwait(false);
                    }
                    finally
                    {
                        upstream.ConnectionClosed();
                    }
                });
            });
        });
        var app = builder.Build();
        upstream = new ScriptedHttp2Upstream(app);
        upstream.Enqueue(scripts);
        app.Run(upstream.ServeAsync);
        await app.StartAsync().ConfigureAwait(false);
        return upstream;
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(2));
        await _app.StopAsync(limit.Token).ConfigureAwait(false);
        await _app.DisposeAsync().ConfigureAwait(false);
        _stop.Dispose();
    }

    private async Task ServeAsync(HttpContext context)
    {
        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body, _stop.Token).ConfigureAwait(false);
        var connection = context.Features.Get<IConnectionItemsFeature>()?.Items["number"] as int? ?? 0;
        var target = context.Features.Get<IHttpRequestFeature>()!.RawTarget;
        List<KeyValuePair<string, string>> headers = [.. context.Request.Headers.SelectMany(h => h.Value.Select(v => KeyValuePair.Create(h.Key, v ?? "")))];
        var exchange = Record(connection, context.Request.Method, target, headers, body.ToArray());
        await PlayAsync(Next(exchange), exchange, context).ConfigureAwait(false);
    }

    private async Task PlayAsync(UpstreamScript script, RecordedExchange exchange, HttpContext context)
    {
        using var cancel = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token, context.RequestAborted);
        var stalled = false;
        try
        {
            foreach (var step in script.Steps)
            {
                stalled = step is Stall;
                if (await PlayAsync(step, exchange, context, cancel.Token).ConfigureAwait(false))
                {
                    return;
                }
            }

            exchange.End(AttemptEnding.Broken, mayHaveLostBytes: true);
            Reset(context, 2);
        }
        catch (Exception e) when (e is OperationCanceledException or IOException)
        {
            exchange.End(_stop.IsCancellationRequested ? AttemptEnding.LeftOpen : stalled ? AttemptEnding.Stalled : AttemptEnding.CancelledByGateway);
            context.Abort();
        }
    }

    /// <summary>Plays one step; true where it was the last.</summary>
    private static async Task<bool> PlayAsync(UpstreamStep step, RecordedExchange exchange, HttpContext context, CancellationToken cancel)
    {
        switch (step)
        {
            case WriteHead head:
                context.Response.StatusCode = head.Status;
                foreach (var (name, value) in head.Headers)
                {
                    context.Response.Headers.Append(name, value);
                }

                context.Response.ContentLength = head.Framing == BodyFraming.ContentLength && head.Status is not (204 or 304) ? head.Length : null;
                exchange.HeadSent(head);
                await context.Response.StartAsync(cancel).ConfigureAwait(false);
                await context.Response.Body.FlushAsync(cancel).ConfigureAwait(false);
                return false;
            case WriteBody { Bytes: var bytes }:
                await WriteAsync(bytes, exchange, context, cancel).ConfigureAwait(false);
                return false;
            case WriteRaw { Bytes: var bytes }:
                await WriteAsync(bytes, exchange, context, cancel).ConfigureAwait(false);
                return false;
            case Delay delay:
                await Task.Delay(delay.Time, cancel).ConfigureAwait(false);
                return false;
            case WaitFor wait:
                await wait.Signal.WaitAsync(cancel).ConfigureAwait(false);
                return false;
            case Stall stall:
                await Task.Delay(stall.Limit, cancel).ConfigureAwait(false);
                exchange.End(AttemptEnding.LeftOpen);
                Reset(context, 2);
                return true;
            case EndClean:
                await context.Response.CompleteAsync().ConfigureAwait(false);
                exchange.End(AttemptEnding.Clean);
                return true;
            case BadChunk:
                exchange.End(AttemptEnding.Broken, mayHaveLostBytes: true);
                Reset(context, 1);
                return true;
            case Reset reset:
                exchange.End(AttemptEnding.Broken, mayHaveLostBytes: true);
                Reset(context, reset.Http2Code);
                return true;
            case CloseWithoutTerminator:
                exchange.End(AttemptEnding.Broken, mayHaveLostBytes: true);
                context.Features.GetRequiredFeature<IConnectionLifetimeFeature>().Abort();
                return true;
            default:
                throw new NotSupportedException(step.ToString());
        }
    }

    private static async Task WriteAsync(ReadOnlyMemory<byte> bytes, RecordedExchange exchange, HttpContext context, CancellationToken cancel)
    {
        await context.Response.Body.WriteAsync(bytes, cancel).ConfigureAwait(false);
        await context.Response.Body.FlushAsync(cancel).ConfigureAwait(false);
        exchange.BodySent(bytes.Span);
    }

    private static void Reset(HttpContext context, int code) => context.Features.GetRequiredFeature<IHttpResetFeature>().Reset(code);
}
