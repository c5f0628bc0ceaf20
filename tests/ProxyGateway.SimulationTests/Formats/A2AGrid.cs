using System.Text;
using ProxyGateway.SimulationTests.Grid;
using ProxyGateway.TestKit.Chats;
using ProxyGateway.TestKit.Contract;

namespace ProxyGateway.SimulationTests.Formats;

/// <summary>Agent2Agent over JSON-RPC.</summary>
internal sealed class A2AGrid : GridFormat
{
    private const string Id = "t-1";

    public override string Name => "a2a";

    public override string Target => "/a2a";

    public override byte[] ErrorEvent { get; } = "data: {\"jsonrpc\":\"2.0\",\"id\":7,\"error\":{\"code\":-32603,\"message\":\"overloaded\"}}\n\n"u8.ToArray();

    public override byte[] ErrorBody { get; } = "{\"jsonrpc\":\"2.0\",\"id\":7,\"error\":{\"code\":-32603,\"message\":\"no\"}}"u8.ToArray();

    public override IEnumerable<GridStream> OwnStreams()
    {
        yield return Stream("text", Task(), Working, Artifact("a", "Hel"), Artifact("a", "lo", append: true), Artifact("a", " you", append: true, last: true), Final());
        yield return Stream("scalars", Task(), Artifact("a", "né€"), Artifact("a", "😀👩‍🚀\n\"\\", append: true), Final());
        yield return Stream("two-artifacts", Task(), Artifact("a", "One", last: true), Artifact("b", "Tw"), Artifact("b", "o", append: true), Final());
        yield return Stream("no-task", Artifact("a", "Hi"), Artifact("a", "!", append: true), Final());
        yield return Stream("task-with-artifact", Task(",\"artifacts\":[{\"artifactId\":\"a\",\"parts\":[{\"kind\":\"text\",\"text\":\"Hi\"}]}]"), Artifact("a", "!", append: true), Final());
        yield return Stream("file", Task(), Artifact("a", "Hi"), Update("artifact-update", "\"artifact\":{\"artifactId\":\"b\",\"parts\":[{\"kind\":\"file\",\"file\":{\"uri\":\"u\"}}]}"), Final()) with { CannotBeJoined = true };
        yield return Stream("said", Task(), Update("status-update", "\"status\":{\"state\":\"working\",\"message\":{\"role\":\"agent\",\"parts\":[{\"kind\":\"text\",\"text\":\"wait\"}]}}"), Artifact("a", "Hi"), Final()) with { CannotBeJoined = true };
        yield return Stream("replaced", Task(), Artifact("a", "Hi"), Artifact("a", "Ho"), Final()) with { CannotBeJoined = true };
        yield return Stream("failed-task", Task(), Artifact("a", "Hi"), Final("failed"));
        yield return Stream("input-required", Task(), Artifact("a", "Hi"), Final("input-required"));
        yield return Stream("ends-with-task", Artifact("a", "Hi"), Result($"{{\"kind\":\"task\",\"id\":\"{Id}\",\"contextId\":\"c-1\",\"status\":{{\"state\":\"completed\"}}}}"));
        yield return Stream("message", Result("{\"kind\":\"message\",\"role\":\"agent\",\"messageId\":\"m1\",\"parts\":[{\"kind\":\"text\",\"text\":\"Hi\"}]}"));
        yield return Stream("crlf", Task(), Artifact("a", "Hi"), Artifact("a", "!", append: true), Final()).With("\r\n");
        yield return Stream("comments", ": a\n\n", Task(), ":\n\n", Artifact("a", "Hi"), "id: 2\n" + Artifact("a", "!", append: true), Final());
        yield return Stream("malformed-once", Task(), Artifact("a", "Hi"), "data: {oops\n\n", Artifact("a", "!", append: true), Final());
        yield return Stream("error-inside", Task(), Artifact("a", "Hi"), Encoding.UTF8.GetString(ErrorEvent), Final()) with { IsBroken = true };
        yield return Stream("after-final", Task(), Artifact("a", "Hi"), Final(), Artifact("a", "more", append: true), Final());
        yield return Stream("long", Task(), Artifact("a", new string('w', 300)), Artifact("a", string.Concat(Enumerable.Repeat("é 😀", 80)), append: true), Final()) with { Recorded = true };
        yield return Stream("kept-limit", Task(), Artifact("a", "Hello"), Artifact("a", " you all", append: true), Final()) with { MaxDeliveredBytes = 8, CannotBeJoined = true };
    }

    public override byte[] RequestFor(byte[] stream) => Request();

    public override byte[] WriteAnswer(GridStream stream, DecodedMessage answer, string id, bool finished)
    {
        if (answer.Finishes.GetValueOrDefault(0) == "message")
        {
            return Chat.Bytes("{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":{\"kind\":\"message\",\"role\":\"agent\",\"messageId\":\"m2\",\"parts\":[{\"kind\":\"text\",\"text\":\"Hi\"}]}}");
        }

        var artifacts = answer.Blocks.Where(b => b.Key.Index >= 0 && b.Key.Channel is Channel.Text or Channel.Other).GroupBy(b => b.Key.Index).OrderBy(g => g.Key).Select(g =>
            $"{{\"artifactId\":\"{id}-{g.Key}\",\"parts\":[{string.Join(',', g.Select(b => b.Key.Channel == Channel.Text ? $"{{\"kind\":\"text\",\"text\":{Json.Quote(b.Value.Text.ToString())}}}" : b.Value.Raws[0]))}]}}");
        var state = finished ? answer.Finishes.GetValueOrDefault(0, "completed") : "working";
        return Chat.Bytes($"{{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":{{\"kind\":\"task\",\"id\":\"{id}\",\"contextId\":\"c-{id}\",\"status\":{{\"state\":\"{state}\"}},\"artifacts\":[{string.Join(',', artifacts)}]}}}}");
    }

    private static string Working => Update("status-update", "\"status\":{\"state\":\"working\"},\"final\":false");

    private static GridStream Stream(string name, params string[] events) => new(name, Chat.Bytes(events), Request()) { Id = Id };

    private static byte[] Request() =>
        "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"message/stream\",\"params\":{\"message\":{\"role\":\"user\",\"parts\":[{\"kind\":\"text\",\"text\":\"hi\"}]}}}"u8.ToArray();

    private static string Result(string result) => $"data: {{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":{result}}}\n\n";

    private static string Task(string more = "") => Result($"{{\"kind\":\"task\",\"id\":\"{Id}\",\"contextId\":\"c-1\",\"status\":{{\"state\":\"submitted\"}}{more}}}");

    private static string Update(string kind, string members) => Result($"{{\"kind\":\"{kind}\",\"taskId\":\"{Id}\",\"contextId\":\"c-1\",{members}}}");

    private static string Artifact(string id, string text, bool append = false, bool last = false) => Update(
        "artifact-update",
        $"\"artifact\":{{\"artifactId\":\"{id}\",\"parts\":[{{\"kind\":\"text\",\"text\":{Json.Quote(text)}}}]}}{(append ? ",\"append\":true" : "")}{(last ? ",\"lastChunk\":true" : "")}");

    private static string Final(string state = "completed") => Update("status-update", $"\"status\":{{\"state\":\"{state}\"}},\"final\":true");
}
