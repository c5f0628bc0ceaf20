using Microsoft.Extensions.Logging;
using ProxyGateway.Hosting;
using ProxyGateway.IntegrationTests.Gateway;
using Xunit;

namespace ProxyGateway.IntegrationTests.Hosting;

public sealed class UnobservedExceptionTests
{
    [Fact]
    public async Task TaskThatFailsAndIsForgotten_IsOneLineWithoutItsMessage()
    {
        using var log = new LogLines();
        using var logging = LoggerFactory.Create(b => b.AddProvider(log));
        var service = new UnobservedExceptions(logging.CreateLogger<UnobservedExceptions>());
        await service.StartAsync(TestContext.Current.CancellationToken);

        Fail();
        for (var i = 0; i < 100 && !Seen(log); i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
            await Task.Delay(20, TestContext.Current.CancellationToken);
        }

        await service.StopAsync(TestContext.Current.CancellationToken);
        Assert.True(Seen(log));
        Assert.DoesNotContain("a secret", string.Join('\n', log.All), StringComparison.Ordinal);
    }

    [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.NoInlining)]
    private static void Fail() => Task.FromException(new InvalidTimeZoneException("a secret"));

    private static bool Seen(LogLines log) => log.All.Any(l => l.Contains("a task failed and nobody looked: System.InvalidTimeZoneException", StringComparison.Ordinal));
}
