using System.Collections.Concurrent;
using Microsoft.Playwright;
using Xunit;

namespace ProxyGateway.BrowserTests;

/// <summary>A page in the system's Chromium, and everything the browser complained about: errors, refused resources, policy violations.</summary>
internal sealed class PageInBrowser : IAsyncDisposable
{
    private const string Chromium = "/usr/bin/chromium";

    private readonly IPlaywright _playwright;
    private readonly IBrowser _browser;
    private readonly ConcurrentQueue<string> _complaints = new();

    private PageInBrowser(IPlaywright playwright, IBrowser browser, IPage page)
    {
        (_playwright, _browser, Page) = (playwright, browser, page);
        page.Console += (_, m) =>
        {
            if (m.Type is "error" or "warning")
            {
                _complaints.Enqueue($"{m.Type}: {m.Text}");
            }
        };
        page.PageError += (_, e) => _complaints.Enqueue(e);
    }

    public IPage Page { get; }

    public IReadOnlyCollection<string> Complaints => _complaints;

    /// <summary>Skips the test where there is no browser; on a build machine that is a failure.</summary>
    public static async Task<PageInBrowser> OpenAsync(int width = 1320, int height = 1000)
    {
        var isMissing = !File.Exists(Chromium);
        Assert.False(isMissing && Environment.GetEnvironmentVariable("CI") == "true", $"{Chromium} is missing; install the package chromium.");
        Assert.SkipWhen(isMissing, $"{Chromium} is missing; install the package chromium.");
        var playwright = await Playwright.CreateAsync();
        var browser = await playwright.Chromium.LaunchAsync(new()
        {
            ExecutablePath = Chromium,
            Args = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
        });
        var context = await browser.NewContextAsync(new() { ViewportSize = new() { Width = width, Height = height } });
        await context.AddInitScriptAsync("document.addEventListener('securitypolicyviolation', e => console.error('policy: ' + e.violatedDirective + ' ' + e.blockedURI));");
        return new PageInBrowser(playwright, browser, await context.NewPageAsync());
    }

    public async ValueTask DisposeAsync()
    {
        await _browser.DisposeAsync();
        _playwright.Dispose();
    }
}
