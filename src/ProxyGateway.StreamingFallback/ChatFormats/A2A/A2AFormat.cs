using System.Buffers;
using ProxyGateway.StreamingFallback.ChatFormats.Json;
using ProxyGateway.StreamingFallback.Configuration;

namespace ProxyGateway.StreamingFallback.ChatFormats.A2A;

/// <summary>
/// Agent2Agent over JSON-RPC, <c>message/stream</c> and <c>tasks/resubscribe</c> (A2A specification 0.3, sections 7.2 and 7.9).
/// </summary>
internal sealed class A2AFormat : AnswerFormat<A2AReader, A2AAnswer>
{
    public override string Name => "a2a";

    public override string OperationName => "invoke_agent";

    /// <remarks>Agents act: a message that is sent again does again what it did.</remarks>
    public override ReplayPolicy DefaultReplay => ReplayPolicy.Never;

    public override string? ReadRequest(ReadOnlySpan<byte> body, string path, out ChatRequest request) =>
        A2ARequestReader.Read(body, out request);

    public override bool WriteAttemptBody(ChatRequest request, ReadOnlySpan<byte> body, AttemptMode mode, string? model, IBufferWriter<byte> output)
    {
        // An agent chooses its model itself.
        if (mode == AttemptMode.Streaming || request.Rpc is not { IsStreaming: true } call)
        {
            return false;
        }

        var edits = new BodyEdits(body);
        edits.Replace(call.MethodValue, BodyEdits.Quote(call.Method == JsonRpcCall.MessageStream ? JsonRpcCall.MessageSend : JsonRpcCall.TasksGet));
        edits.Write(output);
        return true;
    }

    /// <remarks>The final update is the only end there is, so <paramref name="terminal"/> has nothing to choose.</remarks>
    public override ChatStreamReader NewReader(ChatRequest request, int maxDeliveredBytes, TerminalProfile terminal) =>
        new A2AReader(request, maxDeliveredBytes);

    protected override AnswerVerdict ReadAnswer(ReadOnlyMemory<byte> json, out A2AAnswer? answer) => A2AAnswer.Read(json, out answer);

    protected override AnswerVerdict Continue(ChatRequest request, A2AReader? delivered, A2AAnswer answer, IBufferWriter<byte> output)
    {
        if (delivered is not null && !A2ASplice.Continues(delivered, answer))
        {
            return AnswerVerdict.Divergent;
        }

        new A2AStreamWriter(delivered, answer, request, output).Write();
        return AnswerVerdict.Usable;
    }

    /// <remarks>There is no end marker.</remarks>
    public override void WriteMissingEnd(ChatStreamReader delivered, IBufferWriter<byte> output)
    {
    }

    /// <remarks>The id is the request's (JSON-RPC 2.0, section 5); clients compare the two.</remarks>
    public override void WriteErrorEvent(in GatewayError error, ChatRequest? request, ChatStreamReader? delivered, IBufferWriter<byte> output)
    {
        output.Write("data: "u8);
        JsonRpcError.Write(error, request?.Rpc?.Id, output);
        output.Write("\n\n"u8);
    }

    /// <remarks>A comment with one line end only: an event without data is an error to some clients.</remarks>
    public override void WriteHeartbeat(ChatStreamReader? delivered, IBufferWriter<byte> output) => output.Write(": keepalive\n"u8);

    /// <inheritdoc cref="WriteErrorEvent" path="/remarks"/>
    public override void WriteErrorBody(in GatewayError error, ChatRequest? request, IBufferWriter<byte> output) => JsonRpcError.Write(error, request?.Rpc?.Id, output);

    public override UpstreamComplaint ReadErrorBody(ReadOnlySpan<byte> body) => JsonRpcError.Read(body, out _);

    public override bool IsErrorOfRequest(ReadOnlySpan<byte> body)
    {
        JsonRpcError.Read(body, out var code);
        return JsonRpcError.IsOfRequest(code);
    }
}
