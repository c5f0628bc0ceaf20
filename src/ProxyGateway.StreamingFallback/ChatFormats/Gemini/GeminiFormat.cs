using System.Buffers;
using ProxyGateway.StreamingFallback.ChatFormats.Json;
using ProxyGateway.StreamingFallback.Configuration;

namespace ProxyGateway.StreamingFallback.ChatFormats.Gemini;

/// <summary>Gemini, <c>POST …/models/MODEL:streamGenerateContent?alt=sse</c> (Gemini API reference, "Generating content").</summary>
internal sealed class GeminiFormat : AnswerFormat<GeminiReader, GeminiAnswer>
{
    public override string Name => "gemini";

    public override string OperationName => "generate_content";

    public override string ProviderName => "gcp.gemini";

    public override string? ReadRequest(ReadOnlySpan<byte> body, string path, out ChatRequest request) =>
        GeminiRequestReader.Read(body, path, out request);

    /// <remarks>Mode and model stand in the path: see <see cref="RewriteTarget"/>.</remarks>
    public override bool WriteAttemptBody(ChatRequest request, ReadOnlySpan<byte> body, AttemptMode mode, string? model, IBufferWriter<byte> output) => false;

    public override (string Path, string Query)? RewriteTarget(ChatRequest request, string path, string query, AttemptMode mode, string? model) =>
        GeminiTarget.Rewrite(path, query, whole: mode == AttemptMode.NonStreaming && request.Streaming, model);

    /// <remarks>The finish reason is the only end there is; <see cref="TerminalProfile.Done"/> wants the body's clean end as well.</remarks>
    public override ChatStreamReader NewReader(ChatRequest request, int maxDeliveredBytes, TerminalProfile terminal) =>
        new GeminiReader(request, maxDeliveredBytes, terminal);

    protected override AnswerVerdict ReadAnswer(ReadOnlyMemory<byte> json, out GeminiAnswer? answer) => GeminiAnswer.Read(json, out answer);

    protected override AnswerVerdict Continue(ChatRequest request, GeminiReader? delivered, GeminiAnswer answer, IBufferWriter<byte> output)
    {
        if (delivered is not null && !GeminiSplice.Continues(delivered, answer))
        {
            return AnswerVerdict.Divergent;
        }

        new GeminiStreamWriter(delivered, answer, output).Write();
        return AnswerVerdict.Usable;
    }

    /// <remarks>There is no end marker; one that clients do not know makes them throw.</remarks>
    public override void WriteMissingEnd(ChatStreamReader delivered, IBufferWriter<byte> output)
    {
    }

    public override void WriteErrorEvent(in GatewayError error, ChatRequest? request, ChatStreamReader? delivered, IBufferWriter<byte> output)
    {
        output.Write("data: "u8);
        // No status goes out with it that the code would have to agree with, and UNAVAILABLE is 503 (google.rpc.Code).
        GeminiError.Write(error.Status == 502 ? error with { Status = 503 } : error, output);
        output.Write("\r\n\r\n"u8);
    }

    /// <remarks>A comment must be a block of its own: an event that a comment precedes in its block is lost on the SDK.</remarks>
    public override void WriteHeartbeat(ChatStreamReader? delivered, IBufferWriter<byte> output) => output.Write(": keepalive\n\n"u8);

    public override void WriteErrorBody(in GatewayError error, ChatRequest? request, IBufferWriter<byte> output) => GeminiError.Write(error, output);

    public override TokenUsage ReadUsage(ReadOnlySpan<byte> json) => UsageMembers.Gemini.Read(json);

    public override UpstreamComplaint ReadErrorBody(ReadOnlySpan<byte> body) => GeminiError.Read(body);
}
