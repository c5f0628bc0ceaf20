using System.Collections.Concurrent;
using System.Net;
using System.Text;
using System.Text.Json;
using System.Threading.Channels;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace ProxyGateway.IntegrationTests.AgentApi;

/// <summary>
/// Does what agentapi does as far as the gateway sees it: <c>/events</c> tells the whole state to whoever subscribes, then what changes;
/// <c>/message</c> takes a message or says with 500 that the agent is busy; hosts that are not allowed get 400. It can be cut, in the middle
/// of an event too, and restarted on its port.
/// </summary>
internal sealed class FakeAgent : IAsyncDisposable
{
    private readonly ConcurrentDictionary<int, Subscriber> _subscribers = new();
    private readonly List<(string Role, string Text)> _messages = [];
    private readonly List<string> _errors = [];
    private readonly Lock _lock = new();
    private WebApplication? _app;
    private int _port;
    private int _count;
    private string _status = "stable";

    private FakeAgent()
    {
    }

    public Uri Address => new($"http://127.0.0.1:{_port}/");

    public int Subscribers => _subscribers.Count;

    /// <summary>Subscriptions so far.</summary>
    public int Subscriptions => Volatile.Read(ref _count);

    public ConcurrentQueue<(string Method, string Path, IHeaderDictionary Headers, string Body)> Requests { get; } = new();

    public bool IsBusy { get; set; }

    /// <summary>A line before each event, as <c>retry: 50</c> or <c>id: 7</c>.</summary>
    public string? ExtraField { get; set; }

    public IReadOnlyList<(string Role, string Text)> Messages
    {
        get
        {
            lock (_lock)
            {
                return [.. _messages];
            }
        }
    }

    public static async Task<FakeAgent> StartAsync()
    {
        var agent = new FakeAgent();
        await agent.ListenAsync();
        return agent;
    }

    /// <summary>The agent writes: a new message, or more of the last one.</summary>
    public void Say(string text, bool isNew = true, string role = "agent")
    {
        lock (_lock)
        {
            if (isNew)
            {
                _messages.Add((role, text));
            }
            else
            {
                _messages[^1] = (role, text);
            }

            Tell(Message(_messages.Count - 1));
        }
    }

    public void Set(string status)
    {
        lock (_lock)
        {
            _status = status;
            Tell(Status);
        }
    }

    public void Complain(string message)
    {
        lock (_lock)
        {
            _errors.Add(Error(message, _errors.Count));
            Tell(_errors[^1]);
        }
    }

    /// <summary>Sends bytes as they are to all subscribers.</summary>
    public void Tell(string raw)
    {
        lock (_lock)
        {
            foreach (var subscriber in _subscribers.Values)
            {
                subscriber.Queue.Writer.TryWrite(raw);
            }
        }
    }

    /// <summary>Breaks all subscriptions off, after the first half of an event where <paramref name="midEvent"/> says so.</summary>
    public void Cut(bool midEvent = false, bool clean = false)
    {
        lock (_lock)
        {
            foreach (var (number, subscriber) in _subscribers)
            {
                if (midEvent)
                {
                    subscriber.Queue.Writer.TryWrite(Message(_messages.Count - 1)[..25]);
                }

                subscriber.Abort = !clean;
                subscriber.Queue.Writer.Complete();
                _subscribers.TryRemove(number, out _);
            }
        }
    }

    /// <summary>The process is gone: nobody listens on the port any more.</summary>
    public async Task StopAsync()
    {
        Cut();
        await _app!.StopAsync();
        await _app.DisposeAsync();
    }

    /// <summary>A new process on the same port. Without <paramref name="keepState"/> it knows nothing of the old conversation.</summary>
    public async Task RestartAsync(bool keepState = true)
    {
        lock (_lock)
        {
            if (!keepState)
            {
                _messages.Clear();
                _errors.Clear();
            }
        }

        await ListenAsync();
    }

    public async ValueTask DisposeAsync() => await StopAsync();

    private async Task ListenAsync()
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(k => k.Listen(IPAddress.Loopback, _port));
        builder.Services.AddRoutingCore();
        builder.Logging.ClearProviders();
        _app = builder.Build();
        _app.Run(ServeAsync);
        await _app.StartAsync();
        _port = new Uri(_app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First()).Port;
    }

    private async Task ServeAsync(HttpContext context)
    {
        var path = context.Request.Path.Value!;
        using var body = new StreamReader(context.Request.Body);
        Requests.Enqueue((context.Request.Method, path, new HeaderDictionary(context.Request.Headers.ToDictionary()), path == "/events" ? "" : await body.ReadToEndAsync()));
        var response = context.Response;
        if (context.Request.Host.Host is not ("localhost" or "127.0.0.1"))
        {
            response.StatusCode = 400;
            await response.WriteAsync("Invalid host header. Allowed hosts: localhost, 127.0.0.1, [::1]\n");
            return;
        }

        if (context.Request.Headers.Origin is [{ } origin] && origin == "http://localhost:3000")
        {
            response.Headers.AccessControlAllowOrigin = origin;
        }

        switch (path)
        {
            case "/events":
                await StreamAsync(context);
                return;
            case "/message" when IsBusy:
                await AnswerAsync(500, """{"$schema":"http://localhost/schemas/ErrorModel.json","title":"Internal Server Error","status":500,"detail":"unexpected error occurred","errors":[{"message":"failed to send message: message can only be sent when the agent is waiting for user input"}]}""", "application/problem+json");
                return;
            case "/message" when context.Request.Method == "OPTIONS":
                response.StatusCode = 200;
                return;
            case "/message":
                await AnswerAsync(200, """{"ok":true}""", "application/json");
                return;
            case "/reset":
                context.Abort();
                return;
            default:
                await AnswerAsync(path == "/messages" ? 200 : 404, "{}", "application/json");
                return;
        }

        async Task AnswerAsync(int status, string text, string contentType)
        {
            response.StatusCode = status;
            response.ContentType = contentType;
            await response.WriteAsync(text);
        }
    }

    private async Task StreamAsync(HttpContext context)
    {
        var subscriber = new Subscriber();
        var number = Interlocked.Increment(ref _count);
        lock (_lock)
        {
            for (var i = 0; i < _messages.Count; i++)
            {
                subscriber.Queue.Writer.TryWrite(Message(i));
            }

            subscriber.Queue.Writer.TryWrite(Status);
            foreach (var error in _errors)
            {
                subscriber.Queue.Writer.TryWrite(error);
            }

            _subscribers[number] = subscriber;
        }

        var response = context.Response;
        response.ContentType = "text/event-stream";
        response.Headers.CacheControl = "no-cache, no-store, must-revalidate";
        response.Headers["X-Accel-Buffering"] = "no";
        try
        {
            await foreach (var text in subscriber.Queue.Reader.ReadAllAsync(context.RequestAborted))
            {
                await response.Body.WriteAsync(Encoding.UTF8.GetBytes((ExtraField is null ? "" : ExtraField + "\n") + text), context.RequestAborted);
                await response.Body.FlushAsync(context.RequestAborted);
            }

            if (subscriber.Abort)
            {
                context.Abort();
            }
        }
        catch (OperationCanceledException)
        {
            // The subscriber left.
        }
        finally
        {
            _subscribers.TryRemove(number, out _);
        }
    }

    private string Status => $"event: status_change\ndata: {{\"status\":\"{_status}\",\"agent_type\":\"claude\"}}\n\n";

    private string Message(int i) =>
        $"event: message_update\ndata: {{\"id\":{i},\"role\":\"{_messages[i].Role}\",\"message\":{JsonSerializer.Serialize(_messages[i].Text)},\"time\":\"2026-01-01T00:00:00Z\"}}\n\n";

    private static string Error(string message, int number) =>
        $"event: agent_error\ndata: {{\"message\":{JsonSerializer.Serialize(message)},\"level\":\"error\",\"time\":\"2026-01-01T00:00:{number:00}Z\"}}\n\n";

    private sealed class Subscriber
    {
        public Channel<string> Queue { get; } = Channel.CreateUnbounded<string>();

        public bool Abort { get; set; }
    }
}
