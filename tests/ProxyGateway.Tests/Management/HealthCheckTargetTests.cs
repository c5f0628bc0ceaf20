using ProxyGateway.Configuration.Merging;
using ProxyGateway.Management;
using Xunit;

namespace ProxyGateway.Tests.Management;

/// <summary>Whom the verb <c>healthcheck</c> asks.</summary>
public sealed class HealthCheckTargetTests
{
    [Theory]
    [InlineData("http://127.0.0.1:8081", "http://127.0.0.1:8081/")]
    [InlineData("http://localhost:8081", "http://localhost:8081/")]
    [InlineData("http://10.1.2.3:8081", "http://10.1.2.3:8081/")]
    [InlineData("http://[::1]:8081", "http://[::1]:8081/")]
    [InlineData("http://0.0.0.0:8081", "http://127.0.0.1:8081/")]
    [InlineData("http://[::]:8081", "http://127.0.0.1:8081/")]
    [InlineData("http://*:8081", "http://127.0.0.1:8081/")]
    [InlineData("http://gateway.example:8081", "http://127.0.0.1:8081/")]
    [InlineData("https://0.0.0.0:8443", "https://127.0.0.1:8443/")]
    public void Listener_IsAskedWhereThisMachineReachesIt(string listen, string expected)
    {
        Assert.True(HealthCheckCommand.TryTarget(listen, out var target, out var socket));

        Assert.Equal(expected, target.ToString());
        Assert.Null(socket);
    }

    [Fact]
    public void UnixSocket_IsAskedByItsPath()
    {
        Assert.True(HealthCheckCommand.TryTarget("http://unix:/run/gateway.sock", out _, out var socket));

        Assert.Equal("/run/gateway.sock", socket);
    }

    [Theory]
    [InlineData("http://127.0.0.1:0")]
    [InlineData("127.0.0.1")]
    [InlineData("")]
    public void AddressWithoutAFixedPort_CannotBeAsked(string listen) => Assert.False(HealthCheckCommand.TryTarget(listen, out _, out _));

    [Fact]
    public void FileThatIsBrokenByAnEdit_StillLeavesTheEnvironmentsAddress()
    {
        using var file = new TemporaryFile("{ \"Gateway\": { \"ManagementListen\": ");

        Assert.Equal("http://0.0.0.0:9", HealthCheckCommand.ListenAddress(Inputs(file.Path, ("Gateway__ManagementListen", "http://0.0.0.0:9"))));
    }

    [Fact]
    public void InvalidFile_StillNamesItsAddress()
    {
        using var file = new TemporaryFile("{ \"Gateway\": { \"ManagementListen\": \"http://127.0.0.1:9081\" }, \"ReverseProxy\": { \"Clusters\": 5 } }");

        Assert.Equal("http://127.0.0.1:9081", HealthCheckCommand.ListenAddress(Inputs(file.Path)));
    }

    [Fact]
    public void NothingSaid_IsTheDefault() => Assert.Equal("http://127.0.0.1:8081", HealthCheckCommand.ListenAddress(Inputs("/nowhere/appsettings.json")));

    private static ConfigurationInputs Inputs(string file, params (string Name, string Value)[] environment) =>
        new() { File = file, Environment = environment.ToDictionary(e => e.Name, e => e.Value) };

    private sealed class TemporaryFile : IDisposable
    {
        public TemporaryFile(string text) => File.WriteAllText(Path, text);

        public string Path { get; } = System.IO.Path.Combine(System.IO.Path.GetTempPath(), $"gateway-{Guid.NewGuid():n}.json");

        public void Dispose() => File.Delete(Path);
    }
}
