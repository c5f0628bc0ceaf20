using ProxyGateway.Hosting;
using Xunit;

namespace ProxyGateway.Tests.Management;

public sealed class DescriptorLimitTests
{
    [Theory]
    [InlineData("Max open files            512                  4096                 files     ", 96L)]
    [InlineData("Max open files            1048576              1048576              files     ", 524128L)]
    [InlineData("Max open files            100                  100                  files     ", 16L)]
    [InlineData("Max open files            unlimited            unlimited            files     ", null)]
    [InlineData("Max processes             100                  100                  processes ", null)]
    public void Clients_AreWhatTheLimitLeavesRoomFor(string line, long? expected) =>
        Assert.Equal(expected, DescriptorLimit.ClientsOf(["Limit                     Soft Limit           Hard Limit           Units     ", line]));
}
