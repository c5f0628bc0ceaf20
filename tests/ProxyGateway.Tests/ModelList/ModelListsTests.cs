using System.Text;
using ProxyGateway.StreamingFallback.ModelList;
using Xunit;

namespace ProxyGateway.Tests.ModelList;

public sealed class ModelListsTests
{
    [Theory]
    [InlineData("""{"data":[{"id":"\ud800"},{"id":"m"},{"id":"n","x":["\udc00"]},{"\ud800":1,"id":"o"},{"id":7},"p"]}""", "m")]
    [InlineData("""{"data":[]}""", "")]
    [InlineData("""{"data":{}}""", null)]
    [InlineData("[]", null)]
    public void ModelsThatCannotBeWrittenAgain_AreLeftOut(string answer, string? expected) =>
        Assert.Equal(expected, ModelLists.Read(Encoding.UTF8.GetBytes(answer)) is { } models ? string.Join(',', models.Select(m => m.GetProperty("id").GetString())) : null);
}
