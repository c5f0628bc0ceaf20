using System.IO.Pipelines;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using ProxyGateway.StreamingFallback.ClientStream;

namespace ProxyGateway.StreamingFallback.Attempts;

/// <summary>
/// What YARP takes for the client during one attempt: a response with its own status and headers, a body that is the attempt's
/// sink, and a lifetime that is the attempt's. So YARP forwards as ever, and an attempt that fails leaves no trace on the client's response.
/// </summary>
internal sealed class AttemptFeatures(UpstreamCall call, IHttpResponseFeature original, CancellationToken aborted)
    : IHttpResponseFeature, IHttpResponseBodyFeature, IHttpResponseTrailersFeature, IHttpRequestLifetimeFeature
{
    /// <summary>So many headers an answer seldom exceeds; a table that starts smaller is made three times.</summary>
    private const int UsualHeaders = 10;

    private readonly AttemptSink _sink = new(call);
    private (object? Response, object? Body, object? Trailers, object? Lifetime, IHttpResetFeature? Reset) _client;
    private PipeWriter? _writer;
    private int _statusCode = StatusCodes.Status200OK;

    public int StatusCode
    {
        get => _statusCode;
        set
        {
            _statusCode = value;
            call.OnStatus(value);
        }
    }

    public UpstreamCall Call => call;

    public string? ReasonPhrase { get; set; }

    public HeaderDictionary Headers { get; set; } = new(UsualHeaders);

    IHeaderDictionary IHttpResponseFeature.Headers
    {
        get => Headers;
        set => throw new NotSupportedException("The headers of an attempt are fixed.");
    }

    Stream IHttpResponseFeature.Body
    {
        get => _sink;
        set => throw new NotSupportedException("The body of an attempt is fixed.");
    }

    /// <summary>Always false: YARP may then reset status and headers after a failure, which touches this object only.</summary>
    public bool HasStarted => false;

    Stream IHttpResponseBodyFeature.Stream => _sink;

    PipeWriter IHttpResponseBodyFeature.Writer => _writer ??= PipeWriter.Create(_sink);

    public IHeaderDictionary Trailers
    {
        get => field ??= new HeaderDictionary();
        set;
    }

    /// <summary>The headers are the client's now: an open stream need not keep them a second time.</summary>
    public void ForgetHeaders() => Headers = [];

    /// <summary>Takes the client's place in <paramref name="context"/>.</summary>
    public void Enter(HttpContext context)
    {
        // By type, not by type argument: a feature collection is asked for a generic method at a price, and there are many questions.
        var features = context.Features;
        _client = (
            features[typeof(IHttpResponseFeature)],
            features[typeof(IHttpResponseBodyFeature)],
            features[typeof(IHttpResponseTrailersFeature)],
            features[typeof(IHttpRequestLifetimeFeature)],
            ClientResponse.ResetOf(context));
        features[typeof(IHttpResponseFeature)] = this;
        features[typeof(IHttpResponseBodyFeature)] = this;
        features[typeof(IHttpResponseTrailersFeature)] = this;
        features[typeof(IHttpRequestLifetimeFeature)] = this;
        if (_client.Reset is not null)
        {
            // YARP resets the client's HTTP/2 stream when a copy fails; without the feature it aborts, which is ours.
            features[typeof(IHttpResetFeature)] = null;
        }
    }

    /// <summary>Gives the client's place back.</summary>
    public void Leave(HttpContext context)
    {
        var features = context.Features;
        features[typeof(IHttpResponseFeature)] = _client.Response;
        features[typeof(IHttpResponseBodyFeature)] = _client.Body;
        features[typeof(IHttpResponseTrailersFeature)] = _client.Trailers;
        features[typeof(IHttpRequestLifetimeFeature)] = _client.Lifetime;
        if (_client.Reset is not null)
        {
            features[typeof(IHttpResetFeature)] = _client.Reset;
        }
    }

    public CancellationToken RequestAborted { get; set; } = aborted;

    public void OnStarting(Func<object, Task> callback, object state) => original.OnStarting(callback, state);

    public void OnCompleted(Func<object, Task> callback, object state) => original.OnCompleted(callback, state);

    public void DisableBuffering()
    {
    }

    public Task StartAsync(CancellationToken cancellationToken = default) => Task.CompletedTask;

    public Task SendFileAsync(string path, long offset, long? count, CancellationToken cancellationToken = default) =>
        SendFileFallback.SendFileAsync(_sink, path, offset, count, cancellationToken);

    public Task CompleteAsync() => Task.CompletedTask;

    public void Abort() => call.Cancel();
}
