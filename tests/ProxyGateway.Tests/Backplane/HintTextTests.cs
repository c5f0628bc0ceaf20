using ProxyGateway.Backplane;
using Xunit;

namespace ProxyGateway.Tests.Backplane;

public sealed class HintTextTests
{
    [Theory]
    [InlineData(0.001)]
    [InlineData(30)]
    [InlineData(86400)]
    public void Hint_IsReadAsWritten(double seconds)
    {
        var hint = new CircuitHint(CircuitHint.NewInstance(), TimeSpan.FromSeconds(seconds));
        var text = hint.ToString();

        Assert.True(CircuitHint.TryParse(text, out var read));
        Assert.Equal(hint, read);
        Assert.True(text.Length < CircuitHint.MaxBytes);
    }

    [Theory]
    [InlineData("")]
    [InlineData("1")]
    [InlineData("1 0123456789abcdef")]
    [InlineData("2 0123456789abcdef 1000")]
    [InlineData("1 0123456789abcdef 0")]
    [InlineData("1 0123456789abcdef -5")]
    [InlineData("1 0123456789abcdef +5")]
    [InlineData("1 0123456789abcdef 1e3")]
    [InlineData("1 0123456789abcdef 1.5")]
    [InlineData("1 0123456789abcdef 86400001")]
    [InlineData("1 0123456789abcdef 99999999999999999999999")]
    [InlineData("1 0123456789ABCDEF 1000")]
    [InlineData("1 0123456789abcde 1000")]
    [InlineData("1 0123456789abcdef  1000")]
    [InlineData("1 0123456789abcdef 1000 more")]
    [InlineData("1 0123456789abcdef 1000\n")]
    [InlineData("1 0123456789abcdef 1٣")]
    [InlineData("{\"open\":true}")]
    [InlineData("1 0123456789abcdef 000000000000000000000000000000000000000000000001")]
    public void AnythingElse_IsRefused(string text) => Assert.False(CircuitHint.TryParse(text, out _));
}
