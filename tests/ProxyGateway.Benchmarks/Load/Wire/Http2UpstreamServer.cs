using System.Globalization;
using System.Net;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;

namespace ProxyGateway.Benchmarks.Load.Wire;

/// <summary>
/// The same agent over HTTP/2 without TLS, on Kestrel: dearer than <see cref="UpstreamServer"/>, so only proxies in front of this one
/// are to be compared with each other. Knows <c>json</c>, <c>short</c>, <c>burst=N</c> and <c>paced=R</c>.
/// </summary>
internal static class Http2UpstreamServer
{
    private static readonly byte[] Start = Body(WireText.StreamStart);
    private static readonly byte[] Content = Body(WireText.Content);
    private static readonly byte[] End = Body(WireText.StreamEnd);
    private static readonly byte[] Answer = WireText.Answer[(WireText.Answer.AsSpan().IndexOf("\r\n\r\n"u8) + 4)..];

    public static async Task<int> RunUntilParentEndsAsync()
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.Limits.Http2.MaxStreamsPerConnection = 500;
            kestrel.Listen(IPAddress.Loopback, 0, l => l.Protocols = HttpProtocols.Http2);
        });
        var app = builder.Build();
        app.Run(ServeAsync);
        await app.StartAsync();
        Console.WriteLine(new Uri(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First()).Port);
        while (await Console.In.ReadLineAsync() is not null)
        {
        }

        return 0;
    }

    private static async Task ServeAsync(HttpContext http)
    {
        await http.Request.Body.CopyToAsync(Stream.Null);
        var behaviour = http.Request.QueryString.Value!.TrimStart('?');
        if (behaviour == "json")
        {
            http.Response.ContentType = "application/json";
            http.Response.ContentLength = Answer.Length;
            await http.Response.Body.WriteAsync(Answer);
            return;
        }

        http.Response.ContentType = "text/event-stream";
        var body = http.Response.BodyWriter;
        await body.WriteAsync(Start);
        await body.WriteAsync(Content);
        var (kind, number) = (behaviour.Split('=')[0], behaviour.Split('=')[^1]);
        if (kind == "burst")
        {
            for (var left = int.Parse(number, CultureInfo.InvariantCulture) - 1; left > 0; left--)
            {
                await body.WriteAsync(Content);
            }
        }
        else if (kind == "paced")
        {
            await PaceAsync(http, double.Parse(number, CultureInfo.InvariantCulture));
            return;
        }

        await body.WriteAsync(End);
    }

    private static async Task PaceAsync(HttpContext http, double perSecond)
    {
        var period = TimeSpan.FromSeconds(1 / perSecond);
        var content = Content.ToArray();
        try
        {
            await Task.Delay(period * Random.Shared.NextDouble(), http.RequestAborted);
            using var timer = new PeriodicTimer(period);
            while (await timer.WaitForNextTickAsync(http.RequestAborted))
            {
                WireText.Stamp(content);
                await http.Response.BodyWriter.WriteAsync(content, http.RequestAborted);
            }
        }
        catch (OperationCanceledException)
        {
            // The client has left.
        }
    }

    /// <summary>What is in the chunks of <paramref name="chunked"/>, which are lines of a length and one event each.</summary>
    private static byte[] Body(byte[] chunked)
    {
        var text = Encoding.ASCII.GetString(chunked);
        return Encoding.ASCII.GetBytes(string.Concat(text.Split("\r\n").Where(line => line.StartsWith("data:", StringComparison.Ordinal))));
    }
}
