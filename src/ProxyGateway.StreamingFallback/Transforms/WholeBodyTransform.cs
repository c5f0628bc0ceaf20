using Microsoft.AspNetCore.Http;
using ProxyGateway.StreamingFallback.Attempts;
using Yarp.ReverseProxy.Transforms;
using Yarp.ReverseProxy.Transforms.Builder;

namespace ProxyGateway.StreamingFallback.Transforms;

/// <summary>Tells <see cref="WholeBodyHandler"/> which context a call is made for: a call does not know it otherwise.</summary>
internal sealed class WholeBodyTransform : GatewayTransform
{
    public override void Apply(TransformBuilderContext context) => context.AddRequestTransform(static transform =>
    {
        if (transform.HttpContext.Request.Body is AttemptBody)
        {
            WholeBodyHandler.Announce(transform.ProxyRequest, transform.HttpContext);
        }

        return default;
    });
}

/// <summary>Puts the attempt's own content in the place of YARP's, which copies a stream and flushes the head before it: one system call less per attempt.</summary>
/// <remarks>
/// A call is sent on the thread that made it ready, so that is where its context is left: options of a call would cost a dictionary.
/// Where a transform has changed the thread, the context is not found there, and the body is copied as YARP does it.
/// </remarks>
internal sealed class WholeBodyHandler(HttpMessageHandler inner) : DelegatingHandler(inner)
{
    [ThreadStatic]
    private static (HttpRequestMessage Call, HttpContext Context) t_next;

    public static void Announce(HttpRequestMessage call, HttpContext context) => t_next = (call, context);

    protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var (call, context) = t_next;
        t_next = default;
        // A transform that came later may have put another body there: then it is YARP's to copy.
        if (request.Content is { } copied && ReferenceEquals(call, request) && context.Request.Body is AttemptBody { Position: 0 } body)
        {
            foreach (var (name, values) in copied.Headers.NonValidated)
            {
                if (!name.Equals("Content-Length", StringComparison.OrdinalIgnoreCase))
                {
                    body.Content.Headers.TryAddWithoutValidation(name, values);
                }
            }

            request.Content = body.Content;
        }

        return base.SendAsync(request, cancellationToken);
    }
}
