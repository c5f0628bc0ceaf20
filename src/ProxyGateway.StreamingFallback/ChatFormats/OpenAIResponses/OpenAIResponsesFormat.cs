using System.Buffers;
using ProxyGateway.StreamingFallback.ChatFormats.Json;
using ProxyGateway.StreamingFallback.ChatFormats.OpenAIChat;
using ProxyGateway.StreamingFallback.Configuration;

namespace ProxyGateway.StreamingFallback.ChatFormats.OpenAIResponses;

/// <summary>OpenAI Responses, <c>POST /v1/responses</c> (OpenAI API reference, "Responses").</summary>
internal sealed class OpenAIResponsesFormat : AnswerFormat<OpenAIResponsesReader, OpenAIResponsesAnswer>
{
    public override string Name => "openai-responses";

    public override string ProviderName => "openai";

    public override string? ReadRequest(ReadOnlySpan<byte> body, string path, out ChatRequest request) =>
        OpenAIResponsesRequestReader.Read(body, out request);

    public override bool WriteAttemptBody(ChatRequest request, ReadOnlySpan<byte> body, AttemptMode mode, string? model, IBufferWriter<byte> output) =>
        AttemptBody.Write(request, body, mode, model, output);

    public override ChatStreamReader NewReader(ChatRequest request, int maxDeliveredBytes, TerminalProfile terminal) =>
        new OpenAIResponsesReader(maxDeliveredBytes, terminal);

    protected override AnswerVerdict ReadAnswer(ReadOnlyMemory<byte> json, out OpenAIResponsesAnswer? answer) => OpenAIResponsesAnswer.Read(json, out answer);

    protected override AnswerVerdict Continue(ChatRequest request, OpenAIResponsesReader? delivered, OpenAIResponsesAnswer answer, IBufferWriter<byte> output)
    {
        // Nothing was delivered, so nothing binds the answer: not even the lifecycle events that were read.
        var reader = delivered is OpenAIResponsesReader { Delivered: not DeliveredKind.Nothing } r ? r : null;
        if (reader is not null && !OpenAIResponsesSplice.Continues(reader, answer))
        {
            return AnswerVerdict.Divergent;
        }

        void Make(long firstNumber) => new OpenAIResponsesStreamWriter(reader, answer, request, firstNumber, output).Write();
        if (reader is null)
        {
            Make(0);
        }
        else
        {
            reader.MakeRest(Make);
        }

        return AnswerVerdict.Usable;
    }

    /// <remarks>The terminal event is the last one; no client misses a <c>[DONE]</c> after it.</remarks>
    public override void WriteMissingEnd(ChatStreamReader delivered, IBufferWriter<byte> output)
    {
    }

    public override void WriteErrorEvent(in GatewayError error, ChatRequest? request, ChatStreamReader? delivered, IBufferWriter<byte> output) =>
        ResponseErrors.WriteEnding(error, Known(delivered), output);

    /// <remarks>
    /// Some agents count only events as life, and kinds that do not exist make an SDK throw. <c>response.in_progress</c> again is none
    /// of both, but SDKs take its <c>response</c>, which has no output yet, for all that there is, and then miss the item of the next
    /// delta. A delta without text does no harm. It takes the next sequence number, which is the upstream's for as long as that sends;
    /// then, and where nothing is open, it is a comment.
    /// </remarks>
    public override void WriteHeartbeat(ChatStreamReader? delivered, IBufferWriter<byte> output)
    {
        if (Known(delivered)?.TakeHeartbeat() is { } beat)
        {
            beat.Delta.Write(output, beat.Number);
        }
        else
        {
            output.Write(": keepalive\n"u8);
        }
    }

    public override void WriteErrorBody(in GatewayError error, ChatRequest? request, IBufferWriter<byte> output) => OpenAIError.WriteBody(error, output);

    public override TokenUsage ReadUsage(ReadOnlySpan<byte> json) => UsageMembers.OpenAIResponses.Read(json);

    public override UpstreamComplaint ReadErrorBody(ReadOnlySpan<byte> body) => OpenAIError.Read(body);

    private static OpenAIResponsesReader? Known(ChatStreamReader? delivered) =>
        delivered is OpenAIResponsesReader { Delivered: not DeliveredKind.Nothing } reader ? reader : null;
}
