using System.Net.Sockets;
using ProxyGateway.Backplane;
using StackExchange.Redis;
using Xunit;

namespace ProxyGateway.Tests.Backplane;

/// <summary>What is read from connection strings, and from what a server says.</summary>
public sealed class RedisWordsTests
{
    [Theory]
    [InlineData("redis.internal:6379")]
    [InlineData("redis.internal")]
    [InlineData("10.0.0.1:6379,10.0.0.2:6379,user=gateway,password=p=w,ssl=true,defaultDatabase=3")]
    public void Address_IsUsable(string text) => Assert.True(RedisAddress.IsUsable(text));

    [Theory]
    [InlineData("")]
    [InlineData(",")]
    [InlineData("password=hush")]
    [InlineData("host:6379,passwrd=hush")]
    [InlineData("host:6379,ssl=perhaps")]
    [InlineData("host:6379,tunnel=http:proxy:8080")]
    public void AnythingElse_IsNot(string text) => Assert.False(RedisAddress.IsUsable(text));

    [Fact]
    public void Address_KeepsTheGatewaysManners()
    {
        var options = RedisAddress.Read("host:6379,password=hush,abortConnect=false,syncTimeout=60000,allowAdmin=true", TimeSpan.FromSeconds(2));

        Assert.Equal("hush", options.Password);
        Assert.True(options.AbortOnConnectFail);
        Assert.False(options.AllowAdmin);
        Assert.Equal((2000, 2000, 2000), (options.SyncTimeout, options.AsyncTimeout, options.ConnectTimeout));
        Assert.Equal(BacklogPolicy.FailFast, options.BacklogPolicy);
    }

    [Theory]
    [InlineData("OOM command not allowed when used memory > 'maxmemory'.", "OOM")]
    [InlineData("WRONGPASS invalid username-password pair", "WRONGPASS")]
    [InlineData("READONLY You can't write against a read only replica.", "READONLY")]
    [InlineData("hush is not your password", null)]
    [InlineData("AVERYLONGWORDTHATCOULDBEASECRET and more", null)]
    [InlineData("", null)]
    public void ServersReason_IsItsFirstWordInCapitals(string text, string? code)
    {
        var answer = RedisStore.Judge(new RedisServerException(default, CommandFlags.None, text));
        Assert.Equal((StoreOutcome.Refused, code), (answer.Outcome, answer.Code));
    }

    [Fact]
    public void Exceptions_HaveTheirReasons()
    {
        Assert.Equal(StoreOutcome.Invalid, RedisStore.Judge(new RedisServerException(default, CommandFlags.None, "WRONGTYPE Operation against a key")).Outcome);
        Assert.Equal(StoreOutcome.Invalid, RedisStore.Judge(new RedisServerException(default, CommandFlags.None, "ERR value is not an integer or out of range")).Outcome);
        Assert.Equal(StoreOutcome.Unreachable, RedisStore.Judge(new RedisConnectionException(ConnectionFailureType.SocketClosed, CommandFlags.None, "x", new IOException(), CommandStatus.Sent)).Outcome);
        Assert.Equal(StoreOutcome.Refused, RedisStore.Judge(new RedisConnectionException(ConnectionFailureType.AuthenticationFailure, CommandFlags.None, "x", new IOException(), CommandStatus.Sent)).Outcome);
        Assert.Equal(StoreOutcome.TimedOut, RedisStore.Judge(new RedisTimeoutException(CommandFlags.None, "x", CommandStatus.Sent)).Outcome);
        Assert.Equal(StoreOutcome.TimedOut, RedisStore.Judge(new TimeoutException()).Outcome);
        Assert.Equal(StoreOutcome.Unreachable, RedisStore.Judge(new SocketException()).Outcome);
        Assert.Equal(StoreOutcome.Unreachable, RedisStore.Judge(new FileNotFoundException()).Outcome);
        Assert.Equal(StoreOutcome.Invalid, RedisStore.Judge(new InvalidCastException()).Outcome);
    }
}
