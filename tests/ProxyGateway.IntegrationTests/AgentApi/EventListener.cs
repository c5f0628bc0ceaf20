using System.Net;
using System.Net.ServerSentEvents;
using System.Text;
using System.Text.Json;
using ProxyGateway.IntegrationTests.Gateway;
using Xunit;

namespace ProxyGateway.IntegrationTests.AgentApi;

/// <summary>A client of an event stream that never ends. It keeps every byte and what they add up to.</summary>
internal sealed class EventListener : IAsyncDisposable
{
    private readonly HttpClient _http = new() { Timeout = Timeout.InfiniteTimeSpan };
    private readonly CancellationTokenSource _leave = new();
    private readonly MemoryStream _bytes = new();
    private readonly HttpResponseMessage _response;
    private readonly Task _reading;

    private EventListener(HttpClient http, HttpResponseMessage response)
    {
        (_http, _response) = (http, response);
        _reading = ReadAsync();
    }

    public HttpStatusCode Status => _response.StatusCode;

    public HttpResponseMessage Response => _response;

    /// <summary>How the body ended; null while it has not.</summary>
    public string? Ending { get; private set; }

    public string Text
    {
        get
        {
            lock (_bytes)
            {
                return Encoding.UTF8.GetString(_bytes.GetBuffer(), 0, (int)_bytes.Length);
            }
        }
    }

    /// <summary>Whole events so far.</summary>
    public IReadOnlyList<SseItem<string>> Events
    {
        get
        {
            var text = Text;
            var whole = text[..(text.LastIndexOf("\n\n", StringComparison.Ordinal) is var end and >= 0 ? end + 2 : 0)];
            return [.. SseParser.Create(new MemoryStream(Encoding.UTF8.GetBytes(whole))).Enumerate()];
        }
    }

    /// <summary>The conversation as agentapi's page would show it.</summary>
    public IReadOnlyList<string> Conversation
    {
        get
        {
            var messages = new SortedDictionary<int, string>();
            foreach (var e in Events.Where(e => e.EventType == "message_update"))
            {
                using var json = JsonDocument.Parse(e.Data);
                messages[json.RootElement.GetProperty("id").GetInt32()] = json.RootElement.GetProperty("message").GetString()!;
            }

            return [.. messages.Values];
        }
    }

    public IReadOnlyList<string> Errors =>
        [.. Events.Where(e => e.EventType == "agent_error").Select(e => JsonDocument.Parse(e.Data).RootElement.GetProperty("message").GetString()!)];

    public static async Task<EventListener> OpenAsync(GatewayFixture gateway, Wire wire = Wire.Http1, string path = "/events", params (string Name, string Value)[] headers)
    {
        var http = new HttpClient { Timeout = Timeout.InfiniteTimeSpan };
        var request = new HttpRequestMessage(HttpMethod.Get, new Uri(wire == Wire.Http1 ? gateway.Http1 : gateway.Http2, path))
        {
            Version = wire == Wire.Http1 ? HttpVersion.Version11 : HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        request.Headers.TryAddWithoutValidation("Accept", "text/event-stream");
        foreach (var (name, value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        return new EventListener(http, await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken));
    }

    public Task EventuallyAsync(Func<EventListener, bool> condition, string otherwise) =>
        GatewayFixture.EventuallyAsync(() => condition(this), $"{otherwise}; the client has:\n{Text}\nending: {Ending}");

    public Task EndsAsync() => EventuallyAsync(l => l.Ending is not null, "the stream should end");

    public void Leave()
    {
        _leave.Cancel();
        _response.Dispose();
        _http.Dispose();
    }

    public async ValueTask DisposeAsync()
    {
        Leave();
        await _reading;
        _leave.Dispose();
    }

    private async Task ReadAsync()
    {
        var buffer = new byte[4096];
        try
        {
            await using var body = await _response.Content.ReadAsStreamAsync(_leave.Token);
            while (await body.ReadAsync(buffer, _leave.Token) is var read and > 0)
            {
                lock (_bytes)
                {
                    _bytes.Write(buffer, 0, read);
                }
            }

            Ending = "clean";
        }
        catch (OperationCanceledException)
        {
            Ending = "left";
        }
        catch (Exception e) when (e is IOException or HttpRequestException or ObjectDisposedException)
        {
            Ending = "broken";
        }
    }
}
