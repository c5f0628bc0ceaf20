using System.Globalization;
using System.Net.Sockets;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;
using ProxyGateway.StreamingFallback.Telemetry;
using Yarp.ReverseProxy.Forwarder;

namespace ProxyGateway.StreamingFallback.Attempts;

/// <summary>What YARP and HttpClient say of a failed call, in this library's words.</summary>
internal static class UpstreamError
{
    public static FaultKind Classify(IForwarderErrorFeature error) => error.Error switch
    {
        ForwarderError.None => FaultKind.None,
        ForwarderError.NoAvailableDestinations => FaultKind.NoDestination,
        ForwarderError.Request => ClassifyRequest(error.Exception),
        ForwarderError.RequestTimedOut => error.Exception is OperationCanceledException { InnerException: TimeoutException }
            ? FaultKind.ConnectTimeout
            : FaultKind.ResponseHeadersTimeout,
        ForwarderError.RequestCanceled or ForwarderError.RequestBodyCanceled or ForwarderError.ResponseBodyCanceled => FaultKind.GatewayError,
        ForwarderError.RequestBodyDestination or ForwarderError.ResponseHeaders => FaultKind.ConnectionReset,
        ForwarderError.ResponseBodyDestination => FaultKind.EndedEarly,
        ForwarderError.ResponseBodyClient => FaultKind.SlowClient,
        _ => FaultKind.GatewayError,
    };

    /// <summary>
    /// How long the upstream wants to be left alone: <c>retry-after-ms</c>, or <c>Retry-After</c> in seconds or as a date
    /// (RFC 9110, section 10.2.3). Null where it does not say, or says nonsense.
    /// </summary>
    public static TimeSpan? ReadRetryAfter(IHeaderDictionary headers, TimeProvider time)
    {
        if (headers.TryGetValue("retry-after-ms", out var ms)
            && double.TryParse(ms, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var milliseconds)
            && milliseconds is >= 0 and < int.MaxValue)
        {
            return TimeSpan.FromMilliseconds(milliseconds);
        }

        var value = headers.RetryAfter.ToString().AsSpan().Trim();
        if (value.IsEmpty)
        {
            return null;
        }

        if (double.TryParse(value, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var seconds))
        {
            return seconds is >= 0 and < int.MaxValue ? TimeSpan.FromSeconds(seconds) : null;
        }

        if (HeaderUtilities.TryParseDate(value.ToString(), out var date))
        {
            var wait = date - time.GetUtcNow();
            return wait > TimeSpan.Zero ? wait : TimeSpan.Zero;
        }

        return null;
    }

    private static FaultKind ClassifyRequest(Exception? exception)
    {
        if (IsOurOwnLack(exception))
        {
            return FaultKind.OwnLimit;
        }

        for (var e = exception; e is not null; e = e.InnerException)
        {
            switch ((e as HttpRequestException)?.HttpRequestError)
            {
                case HttpRequestError.NameResolutionError or HttpRequestError.ConnectionError or HttpRequestError.ProxyTunnelError:
                    return FaultKind.ConnectFailed;
                case HttpRequestError.SecureConnectionError:
                    return FaultKind.TlsFailed;
            }
        }

        return FaultKind.ConnectionReset;
    }

    /// <summary>No descriptor, port or buffer left on this side: nothing that the upstream, its circuit or another cluster could be blamed or asked for.</summary>
    private static bool IsOurOwnLack(Exception? exception)
    {
        for (var e = exception; e is not null; e = e.InnerException)
        {
            if (e is SocketException { SocketErrorCode: SocketError.TooManyOpenSockets or SocketError.AddressNotAvailable or SocketError.NoBufferSpaceAvailable })
            {
                return true;
            }
        }

        return false;
    }
}
