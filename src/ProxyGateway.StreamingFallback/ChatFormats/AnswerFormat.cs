using System.Buffers;
using ProxyGateway.StreamingFallback.Buffers;

namespace ProxyGateway.StreamingFallback.ChatFormats;

/// <summary>A chat format whose whole answers are read, and checked, before anything is made of them.</summary>
/// <typeparam name="TReader">What reads its streams.</typeparam>
/// <typeparam name="TAnswer">A whole answer that was checked.</typeparam>
internal abstract class AnswerFormat<TReader, TAnswer> : ChatFormat
    where TReader : ChatStreamReader
    where TAnswer : class, IDisposable
{
    public sealed override AnswerVerdict Continue(ChatRequest request, ChatStreamReader? delivered, ReadOnlyMemory<byte> answer, IBufferWriter<byte> output)
    {
        // Strings are decoded while they are compared and written, and one that is no text (half a surrogate pair, bytes that are no
        // UTF-8) shows only then: nothing may be out by that time.
        using var events = new PooledBuffer();
        try
        {
            var verdict = ReadAnswer(answer, out var whole);
            using (whole)
            {
                verdict = whole is null ? verdict : Continue(request, (TReader?)delivered, whole, events);
            }

            if (verdict == AnswerVerdict.Usable)
            {
                output.Write(events.Span);
            }

            return verdict;
        }
        catch (Exception e) when (e is InvalidOperationException or ArgumentException)
        {
            return AnswerVerdict.Unusable;
        }
    }

    public sealed override AnswerVerdict CheckAnswer(ChatRequest request, ReadOnlyMemory<byte> answer)
    {
        try
        {
            var verdict = ReadAnswer(answer, out var whole);
            whole?.Dispose();
            return verdict;
        }
        catch (InvalidOperationException)
        {
            return AnswerVerdict.Unusable;
        }
    }

    /// <summary>Reads a whole body; the answer is null unless the verdict is <see cref="AnswerVerdict.Usable"/>.</summary>
    protected abstract AnswerVerdict ReadAnswer(ReadOnlyMemory<byte> json, out TAnswer? answer);

    /// <inheritdoc cref="ChatFormat.Continue"/>
    /// <remarks>What is written counts only if the verdict is <see cref="AnswerVerdict.Usable"/>; a string that is no text may throw where it is decoded.</remarks>
    protected abstract AnswerVerdict Continue(ChatRequest request, TReader? delivered, TAnswer answer, IBufferWriter<byte> output);
}
