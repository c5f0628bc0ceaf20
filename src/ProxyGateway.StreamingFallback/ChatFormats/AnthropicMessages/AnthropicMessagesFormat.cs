using System.Buffers;
using ProxyGateway.StreamingFallback.Buffers;
using ProxyGateway.StreamingFallback.ChatFormats.Json;
using ProxyGateway.StreamingFallback.Configuration;

namespace ProxyGateway.StreamingFallback.ChatFormats.AnthropicMessages;

/// <summary>Anthropic Messages, <c>POST /v1/messages</c> (Anthropic API reference, "Messages").</summary>
internal sealed class AnthropicMessagesFormat : ChatFormat
{
    public override string Name => "anthropic-messages";

    public override string ProviderName => "anthropic";

    public override string? ReadRequest(ReadOnlySpan<byte> body, string path, out ChatRequest request) =>
        AnthropicRequestReader.Read(body, out request);

    public override bool WriteAttemptBody(ChatRequest request, ReadOnlySpan<byte> body, AttemptMode mode, string? model, IBufferWriter<byte> output)
    {
        var edits = new BodyEdits(body);
        if (mode == AttemptMode.NonStreaming && request.Streaming)
        {
            edits.Replace(request.StreamValue, "false"u8.ToArray());
        }

        if (model is not null)
        {
            edits.SetMember(request.ModelValue, "model", BodyEdits.Quote(model));
        }

        if (edits.IsEmpty)
        {
            return false;
        }

        edits.Write(output);
        return true;
    }

    public override ChatStreamReader NewReader(ChatRequest request, int maxDeliveredBytes, TerminalProfile terminal) =>
        new AnthropicMessagesReader(maxDeliveredBytes, terminal);

    public override AnswerVerdict Continue(ChatRequest request, ChatStreamReader? delivered, ReadOnlyMemory<byte> answer, IBufferWriter<byte> output)
    {
        var verdict = AnthropicMessagesAnswer.Read(answer, out var whole);
        using (whole)
        {
            return whole is null ? verdict : Continue(request, (AnthropicMessagesReader?)delivered, whole, output);
        }
    }

    public override AnswerVerdict CheckAnswer(ChatRequest request, ReadOnlyMemory<byte> answer)
    {
        var verdict = AnthropicMessagesAnswer.Read(answer, out var whole);
        whole?.Dispose();
        return verdict;
    }

    public override void WriteMissingEnd(ChatStreamReader delivered, IBufferWriter<byte> output)
    {
        if (!delivered.IsDone)
        {
            AnthropicMessagesStreamWriter.WriteMessageStop(output);
        }
    }

    /// <remarks>The <c>event:</c> line is what makes most clients see it.</remarks>
    public override void WriteErrorEvent(in GatewayError error, ChatStreamReader? delivered, IBufferWriter<byte> output)
    {
        output.Write("event: error\ndata: "u8);
        AnthropicError.Write(error, output);
        output.Write("\n\n"u8);
    }

    /// <remarks>Clients accept a ping anywhere, before the message has started too.</remarks>
    public override void WriteHeartbeat(ChatStreamReader? delivered, IBufferWriter<byte> output) =>
        output.Write("event: ping\ndata: {\"type\":\"ping\"}\n\n"u8);

    public override void WriteErrorBody(in GatewayError error, IBufferWriter<byte> output) => AnthropicError.Write(error, output);

    public override TokenUsage ReadUsage(ReadOnlySpan<byte> json) => UsageMembers.Anthropic.Read(json);

    public override UpstreamComplaint ReadErrorBody(ReadOnlySpan<byte> body) => AnthropicError.Read(body);

    private static AnswerVerdict Continue(ChatRequest request, AnthropicMessagesReader? delivered, AnthropicMessagesAnswer answer, IBufferWriter<byte> output)
    {
        // Strings are decoded while they are written, and one that is no text shows only then: nothing may be out by that time.
        using var events = new PooledBuffer();
        var writer = new AnthropicMessagesStreamWriter(answer, events);
        try
        {
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
        }
        catch (Exception e) when (e is InvalidOperationException or ArgumentException)
        {
            return AnswerVerdict.Unusable;
        }

        output.Write(events.Span);
        return AnswerVerdict.Usable;
    }
}
