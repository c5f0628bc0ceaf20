using System.Net;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using ProxyGateway.Configuration;
using ProxyGateway.Configuration.Merging;
using ProxyGateway.Configuration.Validation;
using ProxyGateway.Hosting;
using ProxyGateway.Management;
using Xunit;

namespace ProxyGateway.IntegrationTests.Management;

public sealed class ReloadApiTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task EditedFile_IsCheckedThenLoadedAndABadOneIsRejected()
    {
        var file = Path.GetTempFileName();
        try
        {
            await File.WriteAllTextAsync(file, Text("3"), Cancel);
            var configuration = GatewayConfiguration.Load(new ConfigurationInputs { File = file }, new ValidationContext());
            Assert.True(configuration.First.IsValid, string.Join('\n', configuration.First.Diagnostics));
            // Without the service that polls: only what is asked for happens.
            await using var app = GatewayHost.Build(c => configuration.AddTo(c), b =>
            {
                configuration.AddTo(b.Services);
                b.Services.Remove(b.Services.Last(s => s.ServiceType == typeof(Microsoft.Extensions.Hosting.IHostedService)));
            });
            await app.StartAsync(Cancel);
            using var client = new HttpClient { BaseAddress = new Uri(app.Services.GetRequiredService<ManagementServer>().Address!) };
            client.DefaultRequestHeaders.Add("x-gateway-management", "1");

            await File.WriteAllTextAsync(file, Text("4"), Cancel);
            var (status, outcome) = await ReloadAsync(client, "?dryRun=true");
            Assert.Equal((HttpStatusCode.OK, true, 1), (status, outcome.GetProperty("success").GetBoolean(), outcome.GetProperty("version").GetInt32()));
            Assert.Equal(3, await MaxAttemptsAsync(client));

            (status, outcome) = await ReloadAsync(client, "");
            Assert.Equal((HttpStatusCode.OK, true, 2), (status, outcome.GetProperty("success").GetBoolean(), outcome.GetProperty("version").GetInt32()));
            Assert.Equal(4, await MaxAttemptsAsync(client));

            await File.WriteAllTextAsync(file, Text("400"), Cancel);
            (status, outcome) = await ReloadAsync(client, "");
            Assert.Equal((HttpStatusCode.UnprocessableEntity, false, 2), (status, outcome.GetProperty("success").GetBoolean(), outcome.GetProperty("version").GetInt32()));
            Assert.Contains("MaxAttempts", outcome.GetProperty("findings")[0].GetString(), StringComparison.Ordinal);
            var last = JsonElement.Parse(await client.GetStringAsync("/api/config", Cancel)).GetProperty("state").GetProperty("lastReload");
            Assert.False(last.GetProperty("success").GetBoolean());
            Assert.Equal(4, await MaxAttemptsAsync(client));
            await app.StopAsync(Cancel);
        }
        finally
        {
            File.Delete(file);
        }
    }

    private static async Task<(HttpStatusCode Status, JsonElement Outcome)> ReloadAsync(HttpClient client, string query)
    {
        using var response = await client.PostAsync("/api/reload" + query, null, Cancel);
        return (response.StatusCode, JsonElement.Parse(await response.Content.ReadAsStringAsync(Cancel)));
    }

    private static async Task<int> MaxAttemptsAsync(HttpClient client) =>
        JsonElement.Parse(await client.GetStringAsync("/api/config", Cancel)).GetProperty("active").GetProperty("StreamingFallback").GetProperty("MaxAttempts").GetInt32();

    private static string Text(string maxAttempts) => $$"""
        {
          "Gateway": { "Listen": "http://127.0.0.1:0", "ManagementListen": "http://127.0.0.1:0", "Drain": { "Delay": "00:00:00" } },
          "StreamingFallback": { "MaxAttempts": {{maxAttempts}} },
          "ReverseProxy": {
            "Routes": { "chat": { "ClusterId": "agent", "Match": { "Path": "/v1/chat/completions" }, "StreamingFallback": { "Format": "openai-chat" } } },
            "Clusters": { "agent": { "Destinations": { "a": { "Address": "http://127.0.0.1:1" } } } }
          }
        }
        """;
}
