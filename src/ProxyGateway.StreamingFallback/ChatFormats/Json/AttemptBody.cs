using System.Buffers;

namespace ProxyGateway.StreamingFallback.ChatFormats.Json;

/// <summary>The body of an attempt for the formats that say <c>stream</c> and <c>model</c> in the body.</summary>
internal static class AttemptBody
{
    /// <summary>See <see cref="ChatFormat.WriteAttemptBody"/>.</summary>
    public static bool Write(ChatRequest request, ReadOnlySpan<byte> body, AttemptMode mode, string? model, IBufferWriter<byte> output)
    {
        var becomesWhole = mode == AttemptMode.NonStreaming && request.Streaming;
        if (!becomesWhole && model is null)
        {
            return false;
        }

        var edits = new BodyEdits(body);
        if (becomesWhole)
        {
            edits.SetMember(request.StreamValue, "stream", "false"u8.ToArray());
            if (!request.StreamOptionsMember.Equals(default))
            {
                edits.Replace(request.StreamOptionsMember, []);
            }
        }

        if (model is not null)
        {
            edits.SetMember(request.ModelValue, "model", BodyEdits.Quote(model));
        }

        edits.Write(output);
        return true;
    }
}
