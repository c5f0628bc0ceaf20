using System.IO.Pipelines;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

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
