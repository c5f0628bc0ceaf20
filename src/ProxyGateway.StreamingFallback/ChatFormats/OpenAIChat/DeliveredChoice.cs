using System.Runtime.CompilerServices;
using ProxyGateway.StreamingFallback.Buffers;

namespace ProxyGateway.StreamingFallback.ChatFormats.OpenAIChat;

/// <summary>The texts of a choice that are streamed in pieces, in the order in which an answer holds them.</summary>
internal enum TextChannel
{
    ReasoningContent,
    Reasoning,
    Content,
    Refusal,
}

/// <summary>What one choice has delivered. Every change since <see cref="Mark"/> can be taken back.</summary>
internal sealed class DeliveredChoice(int index) : IDisposable
{
    public const int ChannelCount = 4;

    private Channels<PooledBuffer?> _texts;
    private Channels<int> _marks;
    private (int ToolCalls, bool Finished) _toolMark;
    private int[]? _keptMarks;
    private (int ToolCalls, bool Finished) _keptToolMark;

    public int Index => index;

    public List<DeliveredToolCall> ToolCalls { get; } = [];

    public bool Finished { get; set; }

    public PooledBuffer Text(TextChannel channel) => _texts[(int)channel] ??= new PooledBuffer();

    public ReadOnlySpan<byte> TextOrEmpty(TextChannel channel) => _texts[(int)channel] is { } text ? text.Span : default;

    public void Mark()
    {
        for (var i = 0; i < ChannelCount; i++)
        {
            _marks[i] = _texts[i]?.Length ?? 0;
        }

        foreach (var call in ToolCalls)
        {
            call.Mark();
        }

        _toolMark = (ToolCalls.Count, Finished);
    }

    /// <summary>Later marks leave this one alone.</summary>
    public void KeepMark()
    {
        (_keptMarks, _keptToolMark) = ([.. _marks], _toolMark);
        foreach (var call in ToolCalls)
        {
            call.KeepMark();
        }
    }

    public void BackToKeptMark()
    {
        if (_keptMarks is { } kept)
        {
            kept.CopyTo(_marks);
            _toolMark = _keptToolMark;
            foreach (var call in ToolCalls)
            {
                call.UseKeptMark();
            }

            BackToMark();
        }
    }

    public void BackToMark()
    {
        for (var i = 0; i < ChannelCount; i++)
        {
            _texts[i]?.Truncate(_marks[i]);
        }

        while (ToolCalls.Count > _toolMark.ToolCalls)
        {
            ToolCalls[^1].Dispose();
            ToolCalls.RemoveAt(ToolCalls.Count - 1);
        }

        // Any of them may have grown: servers are free to turn to an earlier call again.
        foreach (var call in ToolCalls)
        {
            call.BackToMark();
        }

        Finished = _toolMark.Finished;
    }

    public void Dispose()
    {
        foreach (var text in _texts)
        {
            text?.Dispose();
        }

        foreach (var call in ToolCalls)
        {
            call.Dispose();
        }
    }

    /// <summary>Something for each channel, without an array of its own.</summary>
    [InlineArray(ChannelCount)]
    private struct Channels<T>
    {
        private T _first;
    }
}

/// <summary>A tool call (or, with index -1, a legacy <c>function_call</c>) as far as it was delivered.</summary>
internal sealed class DeliveredToolCall(int index) : IDisposable
{
    private (int Name, int Arguments) _mark;
    private (int Name, int Arguments) _keptMark;

    public int Index => index;

    public PooledBuffer Name { get; } = new();

    public PooledBuffer Arguments { get; } = new();

    public void Mark() => _mark = (Name.Length, Arguments.Length);

    public void KeepMark() => _keptMark = _mark;

    public void UseKeptMark() => _mark = _keptMark;

    public void BackToMark()
    {
        Name.Truncate(_mark.Name);
        Arguments.Truncate(_mark.Arguments);
    }

    public void Dispose()
    {
        Name.Dispose();
        Arguments.Dispose();
    }
}
