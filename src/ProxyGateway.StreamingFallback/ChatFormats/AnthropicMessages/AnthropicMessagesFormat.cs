using System.Buffers;
using ProxyGateway.StreamingFallback.ChatFormats.Json;
using ProxyGateway.StreamingFallback.Configuration;

namespace ProxyGateway.StreamingFallback.ChatFormats.AnthropicMessages;

/// <summary>Anthropic Messages, <c>POST /v1/messages</c> (Anthropic API reference, "Messages").</summary>
internal sealed class AnthropicMessagesFormat : AnswerFormat<AnthropicMessagesReader, AnthropicMessagesAnswer>
{
    public override string Name => "anthropic-messages";

    public override string ProviderName => "anthropic";

    public override string? ReadRequest(ReadOnlySpan<byte> body, string path, out ChatRequest request) =>
        AnthropicRequestReader.Read(body, out request);

    public override bool WriteAttemptBody(ChatRequest request, ReadOnlySpan<byte> body, AttemptMode mode, string? model, IBufferWriter<byte> output) =>
        AttemptBody.Write(request, body, mode, model, output);

    public override ChatStreamReader NewReader(ChatRequest request, int maxDeliveredBytes, TerminalProfile terminal) =>
        new AnthropicMessagesReader(maxDeliveredBytes, terminal);

    protected override AnswerVerdict ReadAnswer(ReadOnlyMemory<byte> json, out AnthropicMessagesAnswer? answer) => AnthropicMessagesAnswer.Read(json, out answer);

    public override void WriteMissingEnd(ChatStreamReader delivered, IBufferWriter<byte> output)
    {
        if (!delivered.IsDone)
        {
            AnthropicMessagesStreamWriter.WriteMessageStop(output);
        }
    }

    /// <remarks>The <c>event:</c> line is what makes most clients see it.</remarks>
    public override void WriteErrorEvent(in GatewayError error, ChatRequest? request, ChatStreamReader? delivered, IBufferWriter<byte> output)
    {
        output.Write("event: error\ndata: "u8);
        AnthropicError.Write(error, output);
        output.Write("\n\n"u8);
    }

    /// <remarks>Clients accept a ping anywhere, before the message has started too.</remarks>
    public override void WriteHeartbeat(ChatStreamReader? delivered, IBufferWriter<byte> output) =>
        output.Write("event: ping\ndata: {\"type\":\"ping\"}\n\n"u8);

    public override void WriteErrorBody(in GatewayError error, ChatRequest? request, IBufferWriter<byte> output) => AnthropicError.Write(error, output);

    public override TokenUsage ReadUsage(ReadOnlySpan<byte> json) => UsageMembers.Anthropic.Read(json);

    public override UpstreamComplaint ReadErrorBody(ReadOnlySpan<byte> body) => AnthropicError.Read(body);

    protected override AnswerVerdict Continue(ChatRequest request, AnthropicMessagesReader? delivered, AnthropicMessagesAnswer answer, IBufferWriter<byte> output)
    {
        var writer = new AnthropicMessagesStreamWriter(answer, output);
        if (delivered is null or { Delivered: DeliveredKind.Nothing, StopDelivered: false })
        {
            writer.WriteWhole(request.Model);
        }
        else if (!delivered.CanSplice || AnthropicMessagesSplice.Find(delivered.Message, answer) is not { } splice)
        {
            return AnswerVerdict.Divergent;
        }
        else
        {
            writer.WriteRest(delivered, splice);
        }

        return AnswerVerdict.Usable;
    }
}
