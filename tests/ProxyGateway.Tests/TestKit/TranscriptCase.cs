using ProxyGateway.TestKit.Chats;
using ProxyGateway.TestKit.Contract;

namespace ProxyGateway.Tests.TestKit;

/// <summary>One transcript and the rule it breaks; 0 for a good one.</summary>
public sealed record TranscriptCase(int Rule, string Name, Transcript Transcript)
{
    public override string ToString() => Rule == 0 ? $"good: {Name}" : $"rule {Rule}: {Name}";
}

/// <summary>What the transcripts are made of.</summary>
internal static class Make
{
    public static readonly Chat A = Chat.Default;

    /// <summary>A fallback cluster's answers: another id and another model.</summary>
    public static readonly Chat B = new() { Id = "chatcmpl-9", Model = "other", Created = 1800000000 };

    public const string Args = "{\"city\":\"Paris\"}";

    public static readonly ChatChoice Weather = ChatChoice.Call(new ChatToolCall("call_1", "weather", "{\"city\":", "\"Paris\"}"));

    public static AttemptRecord Streamed(byte[] body, AttemptEnding ending = AttemptEnding.Clean) =>
        new() { Kind = AttemptKind.Streaming, ContentType = "text/event-stream", Body = body, Ending = ending };

    public static AttemptRecord Streamed(AttemptEnding ending, params string[] events) => Streamed(Chat.Bytes(events), ending);

    /// <summary>Streams the first events of an answer and breaks off.</summary>
    public static AttemptRecord Cut(params string[] events) => Streamed(AttemptEnding.Broken, events);

    public static AttemptRecord Replay(byte[] body, string cluster = "primary") =>
        new() { Kind = AttemptKind.NonStreaming, ContentType = "application/json", Body = body, Cluster = cluster, IsFallback = cluster != "primary" };

    public static AttemptRecord Failed(int status = 503) =>
        new() { Kind = AttemptKind.NonStreaming, ContentType = "application/json", Status = status, Body = Chat.ErrorBody() };

    public static ClientRecord Got(params string[] parts) => new() { Body = Chat.Bytes(parts) };

    public static ClientRecord Loud(params string[] parts) => new() { Body = Chat.Bytes(parts), Ending = ClientEnding.WithoutTerminator };

    public static ClientRecord Json(int status, byte[] body, ClientEnding ending = ClientEnding.Clean) =>
        new() { Status = status, ContentType = "application/json", Body = body, Ending = ending };

    public static Transcript Of(ClientRecord client, params AttemptRecord[] attempts) =>
        new() { RequestBody = A.Request(), Client = client, Attempts = attempts };
}
