using System.Text;
using System.Text.Json;

namespace ProxyGateway.Demo;

/// <summary>A plain client: posts a request and writes down all it can see of the answer.</summary>
internal sealed class DemoClient : IDisposable
{
    private const string Path = "/v1/chat/completions";

    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(20);

    private readonly HttpClient _http = new(new SocketsHttpHandler { UseProxy = false }) { Timeout = Timeout.InfiniteTimeSpan };

    /// <summary>A request body as the demo sends it; also what the printed <c>curl</c> line sends.</summary>
    public static string RequestBody(string model, string prompt, bool stream) =>
        $$"""{"model":"{{model}}","stream":{{(stream ? "true" : "false")}},"messages":[{"role":"user","content":"{{prompt}}"}]}""";

    public static Uri Endpoint(Uri address) => new(address, Path);

    public async Task<ClientAnswer> StreamAsync(Uri address, string model, string prompt, CancellationToken cancellationToken)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(s_patience);
        var body = new MemoryStream();
        HttpResponseMessage? response = null;
        var terminated = false;
        var timedOut = false;
        try
        {
            response = await PostAsync(address, RequestBody(model, prompt, stream: true), patience.Token);
            await using var stream = await response.Content.ReadAsStreamAsync(patience.Token);
            await stream.CopyToAsync(body, patience.Token);
            terminated = true;
        }
        catch (Exception e) when (e is HttpRequestException or IOException)
        {
            // The loud ending, or no answer at all; what did arrive is in the body.
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            timedOut = true;
        }

        using (response)
        {
            return Describe(response, body.ToArray()) with { BodyTerminated = terminated, TimedOut = timedOut };
        }
    }

    /// <summary>The answer's message, asked for without streaming; the reference that the streams are measured with.</summary>
    public async Task<(string Text, string ToolArguments)> ReferenceAsync(Uri address, string model, string prompt, CancellationToken cancellationToken)
    {
        using var response = await PostAsync(address, RequestBody(model, prompt, stream: false), cancellationToken);
        response.EnsureSuccessStatusCode();
        using var document = JsonDocument.Parse(await response.Content.ReadAsByteArrayAsync(cancellationToken));
        var message = document.RootElement.GetProperty("choices")[0].GetProperty("message");
        return message.TryGetProperty("tool_calls", out var calls)
            ? ("", calls[0].GetProperty("function").GetProperty("arguments").GetString()!)
            : (message.GetProperty("content").GetString()!, "");
    }

    public void Dispose() => _http.Dispose();

    private static ClientAnswer Describe(HttpResponseMessage? response, byte[] body)
    {
        if (response is null)
        {
            return new ClientAnswer();
        }

        var answer = response.IsSuccessStatusCode ? ClientAnswerReader.Read(body) : new ClientAnswer { Error = HttpErrorCode(body) };
        return answer with
        {
            Status = (int)response.StatusCode,
            Cluster = Header(response, "x-gateway-cluster"),
            Attempts = Header(response, "x-gateway-attempts"),
            Recovery = Header(response, "x-gateway-recovery"),
        };
    }

    private static string? HttpErrorCode(byte[] body)
    {
        try
        {
            using var document = JsonDocument.Parse(body);
            return ClientAnswerReader.ErrorCode(document.RootElement);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static string? Header(HttpResponseMessage response, string name) =>
        response.Headers.TryGetValues(name, out var values) ? string.Join(',', values) : null;

    private async Task<HttpResponseMessage> PostAsync(Uri address, string body, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, Endpoint(address))
        {
            Content = new StringContent(body, Encoding.UTF8, "application/json"),
        };
        return await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
    }
}
