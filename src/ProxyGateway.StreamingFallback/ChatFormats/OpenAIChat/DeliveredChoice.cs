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

    private readonly PooledBuffer?[] _texts = new PooledBuffer?[ChannelCount];
    private readonly int[] _marks = new int[ChannelCount];
    private (int ToolCalls, int Name, int Arguments, bool Finished) _toolMark;
    private int[]? _keptMarks;
    private (int ToolCalls, int Name, int Arguments, bool Finished) _keptToolMark;

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

        var last = ToolCalls.Count > 0 ? ToolCalls[^1] : null;
        _toolMark = (ToolCalls.Count, last?.Name.Length ?? 0, last?.Arguments.Length ?? 0, Finished);
    }

    /// <summary>Later marks leave this one alone.</summary>
    public void KeepMark() => (_keptMarks, _keptToolMark) = ([.. _marks], _toolMark);

    public void BackToKeptMark()
    {
        if (_keptMarks is { } kept)
        {
            kept.CopyTo(_marks, 0);
            _toolMark = _keptToolMark;
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

        if (ToolCalls.Count > 0)
        {
            ToolCalls[^1].Name.Truncate(_toolMark.Name);
            ToolCalls[^1].Arguments.Truncate(_toolMark.Arguments);
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
}

/// <summary>A tool call (or, with index -1, a legacy <c>function_call</c>) as far as it was delivered.</summary>
internal sealed class DeliveredToolCall(int index) : IDisposable
{
    public int Index => index;

    public PooledBuffer Name { get; } = new();

    public PooledBuffer Arguments { get; } = new();

    public void Dispose()
    {
        Name.Dispose();
        Arguments.Dispose();
    }
}
