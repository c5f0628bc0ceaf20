using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using ProxyGateway.TestKit.Upstream;

namespace ProxyGateway.IntegrationTests.Clients.Judging.Formats;

/// <summary>A stream, event by event: what comes before the content, the content, and what makes it whole.</summary>
internal sealed record JudgedStream(IReadOnlyList<string> Opening, IReadOnlyList<string> Content, IReadOnlyList<string> Ending);

/// <summary>A wire format, written the way its own servers write it.</summary>
internal abstract class JudgedFormat
{
    private static readonly JsonSerializerOptions s_plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static IReadOnlyList<JudgedFormat> All { get; } =
        [new ChatFormat(), new CompletionsFormat(), new ResponsesFormat(), new MessagesFormat(), new GeminiFormat(), new OllamaFormat(), new A2AFormat()];

    /// <summary>Where its clients ask.</summary>
    public abstract string Path { get; }

    public virtual string ContentType => "text/event-stream";

    public static JudgedFormat? Of(string target) => All.FirstOrDefault(f => f.Serves(target));

    public virtual bool Serves(string target) => target.Split('?')[0] == Path;

    public virtual bool AsksForStream(RecordedExchange request) => request.AsksForStream;

    public abstract JudgedStream Stream(JudgedAnswer answer, RecordedExchange request);

    public byte[] Body(JudgedAnswer answer, RecordedExchange request) => Encoding.UTF8.GetBytes(Json(Whole(answer, request)));

    protected abstract object Whole(JudgedAnswer answer, RecordedExchange request);

    protected static string Json(object value) => JsonSerializer.Serialize(value, s_plain);

    /// <summary>An event without a name.</summary>
    protected static string Data(object value) => $"data: {Json(value)}\n\n";

    /// <summary>An event with its name.</summary>
    protected static string Event(string name, object value) => $"event: {name}\ndata: {Json(value)}\n\n";
}
