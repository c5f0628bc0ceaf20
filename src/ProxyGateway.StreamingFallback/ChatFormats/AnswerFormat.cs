using System.Buffers;

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
        var verdict = ReadAnswer(answer, out var whole);
        using (whole)
        {
            return whole is null ? verdict : Continue(request, (TReader?)delivered, whole, output);
        }
    }

    public sealed override AnswerVerdict CheckAnswer(ChatRequest request, ReadOnlyMemory<byte> answer)
    {
        var verdict = ReadAnswer(answer, out var whole);
        whole?.Dispose();
        return verdict;
    }

    /// <summary>Reads a whole body; the answer is null unless the verdict is <see cref="AnswerVerdict.Usable"/>.</summary>
    protected abstract AnswerVerdict ReadAnswer(ReadOnlyMemory<byte> json, out TAnswer? answer);

    /// <inheritdoc cref="ChatFormat.Continue"/>
    protected abstract AnswerVerdict Continue(ChatRequest request, TReader? delivered, TAnswer answer, IBufferWriter<byte> output);
}
