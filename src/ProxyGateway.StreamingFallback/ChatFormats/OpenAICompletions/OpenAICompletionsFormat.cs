using System.Buffers;
using ProxyGateway.StreamingFallback.ChatFormats.Json;
using ProxyGateway.StreamingFallback.ChatFormats.OpenAIChat;
using ProxyGateway.StreamingFallback.Configuration;

namespace ProxyGateway.StreamingFallback.ChatFormats.OpenAICompletions;

/// <summary>
/// Legacy OpenAI completions, <c>POST /v1/completions</c> (OpenAI API reference, "Completions"). Chunks and answers differ
/// from Chat Completions only in where a choice holds its text, so reader, answer and splice check are those of
/// <c>openai-chat</c>.
/// </summary>
internal sealed class OpenAICompletionsFormat : AnswerFormat<OpenAIChatReader, OpenAIChatAnswer>
{
    /// <summary>Errors, heartbeat and end marker are the same bytes.</summary>
    private static readonly OpenAIChatFormat Chat = new();

    public override string Name => "openai-completions";

    public override string OperationName => "text_completion";

    public override string ProviderName => "openai";

    public override string? ReadRequest(ReadOnlySpan<byte> body, string path, out ChatRequest request) =>
        OpenAICompletionsRequestReader.Read(body, out request);

    public override bool WriteAttemptBody(ChatRequest request, ReadOnlySpan<byte> body, AttemptMode mode, string? model, IBufferWriter<byte> output) =>
        AttemptBody.Write(request, body, mode, model, output);

    public override ChatStreamReader NewReader(ChatRequest request, int maxDeliveredBytes, TerminalProfile terminal) =>
        new OpenAIChatReader(request, ChunkShape.CompletionText, maxDeliveredBytes, terminal);

    protected override AnswerVerdict ReadAnswer(ReadOnlyMemory<byte> json, out OpenAIChatAnswer? answer) => OpenAIChatAnswer.Read(json, ChunkShape.CompletionText, out answer);

    protected override AnswerVerdict Continue(ChatRequest request, OpenAIChatReader? delivered, OpenAIChatAnswer answer, IBufferWriter<byte> output)
    {
        if (delivered is not null && !OpenAIChatSplice.Continues(delivered, answer))
        {
            return AnswerVerdict.Divergent;
        }

        new OpenAICompletionsStreamWriter(delivered, answer, request, output).Write(request.IncludeUsage);
        return AnswerVerdict.Usable;
    }

    public override void WriteMissingEnd(ChatStreamReader delivered, IBufferWriter<byte> output) => Chat.WriteMissingEnd(delivered, output);

    public override void WriteErrorEvent(in GatewayError error, ChatRequest? request, ChatStreamReader? delivered, IBufferWriter<byte> output) =>
        Chat.WriteErrorEvent(error, request, delivered, output);

    public override void WriteHeartbeat(ChatStreamReader? delivered, IBufferWriter<byte> output) => Chat.WriteHeartbeat(delivered, output);

    public override void WriteErrorBody(in GatewayError error, ChatRequest? request, IBufferWriter<byte> output) => Chat.WriteErrorBody(error, request, output);

    public override TokenUsage ReadUsage(ReadOnlySpan<byte> json) => UsageMembers.OpenAIChat.Read(json);

    public override UpstreamComplaint ReadErrorBody(ReadOnlySpan<byte> body) => Chat.ReadErrorBody(body);
}
