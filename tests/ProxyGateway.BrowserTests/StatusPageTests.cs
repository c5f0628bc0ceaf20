using System.Net;
using System.Text.RegularExpressions;
using Microsoft.Playwright;
using ProxyGateway.Demo;
using ProxyGateway.IntegrationTests.Management;
using Xunit;
using static Microsoft.Playwright.Assertions;

namespace ProxyGateway.BrowserTests;

/// <summary>The status page in a real browser, in front of a real gateway and agents that fail.</summary>
public sealed class StatusPageTests
{
    private static readonly LocatorAssertionsToBeVisibleOptions Patience = new() { Timeout = 30_000 };

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task RecoveryAppearsAndAnIsolatedClusterRefusesUntilItIsClosed()
    {
        await using var browser = await PageInBrowser.OpenAsync();
        await using var gateway = await ManagedGateway.StartAsync(Cancel);
        var page = browser.Page;
        await page.GotoAsync(gateway.Address.ToString());
        await Expect(page.Locator("#connection")).ToHaveTextAsync("live", new() { Timeout = 30_000 });
        await Expect(page.Locator("#cluster-list article")).ToHaveCountAsync(gateway.Fleet.Agents.Count, new() { Timeout = 30_000 });

        using var recovered = await gateway.ChatAsync("demo-reset-12", Cancel);
        var row = page.Locator("#recovery-rows tr").First;
        await Expect(row).ToBeVisibleAsync(Patience);
        await Expect(row).ToContainTextAsync("recovered");
        await Expect(row).ToContainTextAsync("ended early, in mid-stream");
        await Expect(page.Locator("#announcer")).ToContainTextAsync("recovered", new() { Timeout = 30_000 });

        await ActAsync(page, "Isolate the cluster circuit of good", "the <b>model</b> server is upgraded", "Isolate");
        await Expect(Pill(page)).ToHaveTextAsync("isolated", new() { Timeout = 30_000 });
        await Expect(page.Locator("#change-rows tr").First).ToContainTextAsync("the <b>model</b> server is upgraded");
        using var refused = await gateway.ChatAsync("demo-good", Cancel);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, refused.StatusCode);

        await ActAsync(page, "Close the cluster circuit of good", "done", "Close the circuit");
        await Expect(Pill(page)).ToHaveTextAsync("closed", new() { Timeout = 30_000 });
        using var served = await gateway.ChatAsync("demo-good", Cancel);
        Assert.Equal(HttpStatusCode.OK, served.StatusCode);
        Assert.Contains(gateway.Log, l => l.Contains("isolate by Ada Löw from 127.0.0.1", StringComparison.Ordinal));
        Assert.Empty(browser.Complaints);
    }

    [Fact]
    public async Task GatewayThatComesBack_IsConnectedAgain()
    {
        await using var browser = await PageInBrowser.OpenAsync();
        var page = browser.Page;
        var first = await ManagedGateway.StartAsync(Cancel);
        await using (first)
        {
            await page.GotoAsync(first.Address.ToString());
            await Expect(page.Locator("#connection")).ToHaveTextAsync("live", new() { Timeout = 30_000 });
        }

        await Expect(page.Locator("#connection")).ToHaveClassAsync(new Regex("lost"), new() { Timeout = 30_000 });
        await using var second = await ManagedGateway.StartAsync(Cancel, ("Gateway:ManagementListen", first.Address.GetLeftPart(UriPartial.Authority)));
        await Expect(page.Locator("#connection")).ToHaveTextAsync("live", new() { Timeout = 60_000 });
    }

    [Fact]
    public async Task ConfiguredKey_IsAskedForAndUsed()
    {
        await using var browser = await PageInBrowser.OpenAsync();
        await using var gateway = await ManagedGateway.StartAsync(Cancel, ("Gateway:ManagementKey", "open sesame"));
        var page = browser.Page;
        await page.GotoAsync(gateway.Address.ToString());

        await page.GetByLabel("Key", new() { Exact = true }).FillAsync("wrong");
        await page.GetByRole(AriaRole.Button, new() { Name = "Connect" }).ClickAsync();
        await Expect(page.GetByText("This key was not accepted.")).ToBeVisibleAsync(Patience);
        await page.GetByLabel("Key", new() { Exact = true }).FillAsync("open sesame");
        await page.GetByRole(AriaRole.Button, new() { Name = "Connect" }).ClickAsync();

        await Expect(page.Locator("#cluster-list article")).ToHaveCountAsync(gateway.Fleet.Agents.Count, new() { Timeout = 30_000 });
    }

    [Fact]
    public async Task NarrowScreen_NothingIsWiderThanIt()
    {
        await using var browser = await PageInBrowser.OpenAsync(width: 375, height: 740);
        await using var gateway = await ManagedGateway.StartAsync(Cancel);
        using var recovered = await gateway.ChatAsync("demo-reset-12", Cancel);
        await browser.Page.GotoAsync(gateway.Address.ToString());
        await Expect(browser.Page.Locator("#recovery-rows tr").First).ToBeVisibleAsync(Patience);

        Assert.Equal(375, await browser.Page.EvaluateAsync<int>("document.documentElement.scrollWidth"));
        Assert.Empty(browser.Complaints);
    }

    [Fact]
    public async Task Structure_HasLandmarksCaptionsAndNamesForWhatCanBeUsed()
    {
        await using var browser = await PageInBrowser.OpenAsync();
        await using var gateway = await ManagedGateway.StartAsync(Cancel);
        var page = browser.Page;
        await page.GotoAsync(gateway.Address.ToString());
        await Expect(page.Locator("#cluster-list article").First).ToBeVisibleAsync(Patience);

        Assert.Equal(3, await page.Locator("table > caption").CountAsync());
        Assert.Equal(1, await page.GetByRole(AriaRole.Main).CountAsync());
        Assert.Equal(1, await page.GetByRole(AriaRole.Banner).CountAsync());
        Assert.Equal("[]", await page.EvaluateAsync<string>(
            "JSON.stringify([...document.querySelectorAll('button, input:not([hidden])')].filter(e => !(e.getAttribute('aria-label') || e.textContent.trim() || e.labels?.length)).filter(e => e.id !== 'act-go').map(e => e.outerHTML))"));
        await page.Keyboard.PressAsync("Tab");
        Assert.Equal("Skip to the clusters", await page.EvaluateAsync<string>("document.activeElement.textContent"));
        Assert.Empty(browser.Complaints);
    }

    private static ILocator Pill(IPage page) =>
        page.GetByRole(AriaRole.Article, new() { Name = DemoFleet.Good }).Locator("[data-circuit=cluster] .pill");

    private static async Task ActAsync(IPage page, string button, string why, string confirm)
    {
        await page.GetByRole(AriaRole.Button, new() { Name = button, Exact = true }).ClickAsync();
        var dialog = page.GetByRole(AriaRole.Dialog);
        await dialog.GetByLabel("Why").FillAsync(why);
        await dialog.GetByLabel("Your name").FillAsync("Ada Löw");
        await dialog.GetByRole(AriaRole.Button, new() { Name = confirm, Exact = true }).ClickAsync();
        await Expect(dialog).ToBeHiddenAsync(new() { Timeout = 30_000 });
    }
}
