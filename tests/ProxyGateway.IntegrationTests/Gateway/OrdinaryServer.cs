using System.Text;
using WireMock.RequestBuilders;
using WireMock.ResponseBuilders;
using WireMock.Server;

namespace ProxyGateway.IntegrationTests.Gateway;

/// <summary>Upstreams that do nothing unusual on the wire.</summary>
internal static class OrdinaryServer
{
    public static WireMockServer Streaming(byte[] stream) => Start(200, "text/event-stream", stream);

    public static WireMockServer Answering(byte[] answer, int status = 200) => Start(status, "application/json", answer);

    /// <summary>Streams where a stream was asked for, and gives the whole answer where not.</summary>
    public static WireMockServer Agent(byte[] stream, byte[] answer)
    {
        var server = Start(200, "application/json", answer);
        server.Given(Request.Create().WithPath("/v1/chat/completions").WithBody(body => body is not null && body.Contains("\"stream\":true", StringComparison.Ordinal)))
            .AtPriority(-1)
            .RespondWith(Reply(200, "text/event-stream", stream));
        return server;
    }

    private static WireMockServer Start(int status, string contentType, byte[] body)
    {
        var server = WireMockServer.Start();
        server.Given(Request.Create().WithPath("/v1/chat/completions").UsingPost()).RespondWith(Reply(status, contentType, body));
        return server;
    }

    private static IResponseBuilder Reply(int status, string contentType, byte[] body) =>
        Response.Create().WithStatusCode(status).WithHeader("Content-Type", contentType).WithBody(Encoding.UTF8.GetString(body));
}
