using System.Buffers;
using System.Text.Json;
using ProxyGateway.StreamingFallback.ChatFormats.Json;
using ProxyGateway.StreamingFallback.Configuration;

namespace ProxyGateway.StreamingFallback.ChatFormats.OpenAIChat;

/// <summary>OpenAI Chat Completions, <c>POST /v1/chat/completions</c> (OpenAI API reference, "Chat").</summary>
internal sealed class OpenAIChatFormat : AnswerFormat<OpenAIChatReader, OpenAIChatAnswer>
{
    public override string Name => "openai-chat";

    public override string ProviderName => "openai";

    public override string? ReadRequest(ReadOnlySpan<byte> body, string path, out ChatRequest request) =>
        OpenAIChatRequestReader.Read(body, out request);

    public override bool WriteAttemptBody(ChatRequest request, ReadOnlySpan<byte> body, AttemptMode mode, string? model, IBufferWriter<byte> output) =>
        AttemptBody.Write(request, body, mode, model, output);

    public override ChatStreamReader NewReader(ChatRequest request, int maxDeliveredBytes, TerminalProfile terminal) =>
        new OpenAIChatReader(request, ChunkShape.ChatDelta, maxDeliveredBytes, terminal);

    protected override AnswerVerdict ReadAnswer(ReadOnlyMemory<byte> json, out OpenAIChatAnswer? answer) => OpenAIChatAnswer.Read(json, ChunkShape.ChatDelta, out answer);

    protected override AnswerVerdict Continue(ChatRequest request, OpenAIChatReader? delivered, OpenAIChatAnswer answer, IBufferWriter<byte> output)
    {
        if (delivered is not null && !OpenAIChatSplice.Continues(delivered, answer))
        {
            return AnswerVerdict.Divergent;
        }

        new OpenAIChatStreamWriter(delivered, answer, request, output).Write(request.IncludeUsage);
        return AnswerVerdict.Usable;
    }

    public override void WriteMissingEnd(ChatStreamReader delivered, IBufferWriter<byte> output)
    {
        if (!delivered.IsDone)
        {
            output.Write("data: [DONE]\n\n"u8);
        }
    }

    public override void WriteErrorEvent(in GatewayError error, ChatRequest? request, ChatStreamReader? delivered, IBufferWriter<byte> output)
    {
        output.Write("data: "u8);
        using (var writer = new Utf8JsonWriter(output, JsonText.WriterOptions))
        {
            writer.WriteStartObject();
            OpenAIError.WriteError(writer, error);
            // Makes the .NET client throw, which reads past `error`; the others do not look at it.
            writer.WriteNull("choices"u8);
            writer.WriteEndObject();
        }

        output.Write("\n\n"u8);
    }

    /// <remarks>A comment with one line end only: some parsers take a comment and a blank line for an empty event.</remarks>
    public override void WriteHeartbeat(ChatStreamReader? delivered, IBufferWriter<byte> output) => output.Write(": keepalive\n"u8);

    public override void WriteErrorBody(in GatewayError error, ChatRequest? request, IBufferWriter<byte> output) => OpenAIError.WriteBody(error, output);

    public override TokenUsage ReadUsage(ReadOnlySpan<byte> json) => UsageMembers.OpenAIChat.Read(json);

    public override UpstreamComplaint ReadErrorBody(ReadOnlySpan<byte> body) => OpenAIError.Read(body);
}
