using System.Text;
using ProxyGateway.TestKit.Chats;
using ProxyGateway.TestKit.Upstream;

namespace ProxyGateway.IntegrationTests.Gateway;

/// <summary>What agents say and how they fail, in the words of the scenarios.</summary>
internal static class Agents
{
    public static readonly string[] Words = ["The ", "quick ", "brown ", "fox ", "jumps ", "over ", "the ", "lazy ", "dög."];

    public static readonly string WholeText = string.Concat(Words);

    /// <summary>Another agent's identity.</summary>
    public static readonly Chat Other = new() { Id = "chatcmpl-other", Model = "other-model", Created = 1800000000 };

    public static byte[] WholeStream => Chat.Default.Stream(Words);

    public static byte[] WholeAnswer => Chat.Default.Completion(WholeText);

    /// <summary>A good answer, streamed or not as it was asked for.</summary>
    public static UpstreamScript Good(RecordedExchange asked, Chat? chat = null) => asked.AsksForStream
        ? UpstreamScript.Stream((chat ?? Chat.Default).Stream(Words))
        : UpstreamScript.Json((chat ?? Chat.Default).Completion(WholeText));

    /// <summary>The role and the first words of the stream; how it ends is for the caller to add.</summary>
    public static UpstreamScript Started(int words, Chat? chat = null)
    {
        chat ??= Chat.Default;
        return UpstreamScript.EventStream().Events(Chat.Bytes([chat.Role(), .. Words.Take(words).Select(w => chat.Text(w))]));
    }

    /// <summary>
    /// A reset on the wire overtakes what is under way. A pause before it lets what was sent arrive, so that a test knows what
    /// the client must have got.
    /// </summary>
    public static UpstreamScript ThenReset(this UpstreamScript script) => script.Delay(TimeSpan.FromMilliseconds(150)).Reset();

    public static UpstreamScript Error(int status, params (string Name, string Value)[] headers) =>
        UpstreamScript.Json(status, Chat.ErrorBody(), headers);

    /// <summary>A chat request in a client's own words: order, spacing and unknown members are the client's.</summary>
    public static byte[] OddRequest => Encoding.UTF8.GetBytes(
        """{ "model":"m" , "x_unknown": [1.50, 1e2, "\u00e9\/"], "messages":[{"role":"user","content":"hi"}],  "stream" : true, "stream_options": {"include_usage":true}, "temperature":0.70 }""");
}
