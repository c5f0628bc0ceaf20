using ProxyGateway.Configuration.Commands;
using Xunit;

namespace ProxyGateway.Tests.Configuration;

public sealed class SettingArgumentsTests
{
    [Theory]
    [InlineData("--ReverseProxy:Clusters:a:CircuitBreaker:FailureThreshold=5")]
    [InlineData("--Gateway:Listen=http://127.0.0.1:0")]
    [InlineData("--Gateway:ManagementKey=")]
    public void Setting_IsOne(string argument) => Assert.Null(SettingArguments.Judge([argument]));

    [Theory]
    [InlineData("chek")]
    [InlineData("--confg=appsettings.json")]
    [InlineData("--Gateway:Listen")]
    [InlineData("http://127.0.0.1:8080")]
    [InlineData("Gateway:Listen=http://127.0.0.1:0")]
    public void AnythingElse_IsNamed(string argument) => Assert.Contains(argument.Split('=')[0], SettingArguments.Judge(["--a:b=c", argument]), StringComparison.Ordinal);

    [Fact]
    public void WrongArgumentWithASecretInIt_DoesNotShowIt() => Assert.DoesNotContain("hunter2", SettingArguments.Judge(["--key=hunter2"]), StringComparison.Ordinal);

    [Theory]
    [InlineData("b.json")]
    [InlineData("--fromat")]
    [InlineData("--ReverseProxy:Clusters:a:Key=hunter2")]
    public void VerbWithoutSettings_NamesTheFirstArgumentTooMany(string argument)
    {
        var message = SettingArguments.Refuse("check", [argument, "json"]);

        Assert.StartsWith($"Unknown argument {argument.Split('=')[0]}. ", message, StringComparison.Ordinal);
        Assert.DoesNotContain("hunter2", message, StringComparison.Ordinal);
    }

    [Fact]
    public void VerbWithoutSurplus_IsFine() => Assert.Null(SettingArguments.Refuse("check", []));
}
