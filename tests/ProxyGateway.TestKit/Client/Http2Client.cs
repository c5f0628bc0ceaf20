using System.Net;
using System.Net.Http.Headers;
using ProxyGateway.TestKit.Contract;

namespace ProxyGateway.TestKit.Client;

/// <summary>HTTP/2 with prior knowledge, with the same result as <see cref="RawHttpClient"/>.</summary>
public static class Http2Client
{
    public static async Task<HttpResult> SendAsync(HttpCall call, CancellationToken cancel = default)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        limit.CancelAfter(call.Timeout);
        using var handler = new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false };
        using var client = new HttpClient(handler) { Timeout = Timeout.InfiniteTimeSpan };
        var result = new ResultBuilder();
        try
        {
            using var request = Request(call);
            using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, limit.Token).ConfigureAwait(false);
            foreach (var header in response.Headers.Concat(response.Content.Headers))
            {
                result.Headers.AddRange(header.Value.Select(v => KeyValuePair.Create(header.Key, v)));
            }

            result.Head((int)response.StatusCode);
            return await ReadAsync(response, call, result, limit.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or HttpRequestException)
        {
            return Protocol(e) is { } reset ? result.End(ClientEnding.Http2Reset, reset.ErrorCode) : result.End(ClientEnding.WithoutTerminator);
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            return result.End(ClientEnding.TimedOut);
        }
    }

    private static async Task<HttpResult> ReadAsync(HttpResponseMessage response, HttpCall call, ResultBuilder result, CancellationToken cancel)
    {
        await using var stream = await response.Content.ReadAsStreamAsync(cancel).ConfigureAwait(false);
        var buffer = new byte[64 * 1024];
        while (true)
        {
            if (call.BeforeRead is { } pause)
            {
                await pause().WaitAsync(cancel).ConfigureAwait(false);
            }

            var count = await stream.ReadAsync(buffer, cancel).ConfigureAwait(false);
            if (count == 0)
            {
                return result.End(ClientEnding.Clean);
            }

            result.Add(buffer.AsSpan(0, count));
            if (result.Leaves(call))
            {
                // Disposing the response sends RST_STREAM CANCEL.
                return result.End(ClientEnding.ClientLeft);
            }
        }
    }

    private static HttpRequestMessage Request(HttpCall call)
    {
        var request = new HttpRequestMessage(new HttpMethod(call.Method), new Uri(call.Address, call.Target))
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        if (call.Body.Length > 0)
        {
            request.Content = new ByteArrayContent(call.Body);
        }

        foreach (var (name, value) in call.Headers)
        {
            if (name.Equals("Content-Type", StringComparison.OrdinalIgnoreCase))
            {
                request.Content?.Headers.ContentType = MediaTypeHeaderValue.Parse(value);
            }
            else
            {
                request.Headers.TryAddWithoutValidation(name, value);
            }
        }

        return request;
    }

    private static HttpProtocolException? Protocol(Exception? e)
    {
        while (e is not null and not HttpProtocolException)
        {
            e = e.InnerException;
        }

        return e as HttpProtocolException;
    }
}
