using System.Buffers;
using System.Text.Json;
using ProxyGateway.StreamingFallback.ChatFormats.Json;
using ProxyGateway.StreamingFallback.Configuration;

namespace ProxyGateway.StreamingFallback.ChatFormats.Ollama;

/// <summary>Ollama's own chat API, <c>POST /api/chat</c> (Ollama API reference, "Generate a chat completion").</summary>
internal sealed class OllamaFormat : AnswerFormat<OllamaReader, OllamaAnswer>
{
    public override string Name => "ollama";

    public override StreamFraming Framing => StreamFraming.JsonLines;

    public override string StreamContentType => "application/x-ndjson";

    public override string? ReadRequest(ReadOnlySpan<byte> body, string path, out ChatRequest request) =>
        OllamaRequestReader.Read(body, out request);

    public override bool WriteAttemptBody(ChatRequest request, ReadOnlySpan<byte> body, AttemptMode mode, string? model, IBufferWriter<byte> output) =>
        AttemptBody.Write(request, body, mode, model, output);

    public override ChatStreamReader NewReader(ChatRequest request, int maxDeliveredBytes, TerminalProfile terminal) =>
        new OllamaReader(request, maxDeliveredBytes, terminal);

    protected override AnswerVerdict ReadAnswer(ReadOnlyMemory<byte> json, out OllamaAnswer? answer) => OllamaAnswer.Read(json, out answer);

    protected override AnswerVerdict Continue(ChatRequest request, OllamaReader? delivered, OllamaAnswer answer, IBufferWriter<byte> output)
    {
        if (delivered is not null && !OllamaSplice.Continues(delivered, answer))
        {
            return AnswerVerdict.Divergent;
        }

        new OllamaStreamWriter(delivered, answer, request, output).Write();
        return AnswerVerdict.Usable;
    }

    /// <remarks>The line that finishes a stream is its last: nothing can be missing after it.</remarks>
    public override void WriteMissingEnd(ChatStreamReader delivered, IBufferWriter<byte> output)
    {
    }

    public override void WriteErrorEvent(in GatewayError error, ChatRequest? request, ChatStreamReader? delivered, IBufferWriter<byte> output)
    {
        WriteErrorBody(error, request, output);
        output.Write("\n"u8);
    }

    /// <remarks>
    /// An answer line without text, as Ollama itself sends them. JSON lines know no comments, and a blank line is an
    /// error to the Python and Go clients. The members that strict clients require are all there.
    /// </remarks>
    public override void WriteHeartbeat(ChatStreamReader? delivered, IBufferWriter<byte> output)
    {
        var reader = (OllamaReader?)delivered;
        OllamaStreamWriter.WriteEmptyLine(reader?.Model ?? BodyEdits.Quote(reader?.Request.Model ?? ""), reader?.CreatedAt, output);
    }

    public override void WriteErrorBody(in GatewayError error, ChatRequest? request, IBufferWriter<byte> output)
    {
        using var writer = new Utf8JsonWriter(output, JsonText.WriterOptions);
        writer.WriteStartObject();
        writer.WriteString("error"u8, error.Message);
        writer.WriteEndObject();
    }

    public override TokenUsage ReadUsage(ReadOnlySpan<byte> json) => UsageMembers.Ollama.Read(json);

    public override UpstreamComplaint ReadErrorBody(ReadOnlySpan<byte> body) => OllamaError.Read(body);
}
