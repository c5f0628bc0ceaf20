using ProxyGateway.Management.Api;

namespace ProxyGateway.Management.Security;

/// <summary>In front of the page and the API: turns away who may not use them, and says to browsers what they may do with an answer.</summary>
internal sealed class ManagementGuard(ManagementAccess access)
{
    public async Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        if (context.Request.Path.StartsWithSegments("/metrics") || context.Request.Path.StartsWithSegments("/health"))
        {
            await next(context);
            return;
        }

        var headers = context.Response.Headers;
        headers.XContentTypeOptions = "nosniff";
        headers.CacheControl = "no-store";
        headers["Referrer-Policy"] = "no-referrer";
        headers["Cross-Origin-Resource-Policy"] = "same-origin";
        headers["Cross-Origin-Opener-Policy"] = "same-origin";
        if (access.Judge(context.Request) is not { } refusal)
        {
            await next(context);
            return;
        }

        if (refusal.Status == StatusCodes.Status401Unauthorized)
        {
            headers.WWWAuthenticate = "Bearer";
        }

        await ApiAnswer.ErrorAsync(context, refusal.Status, refusal.Code, refusal.Message);
    }
}
