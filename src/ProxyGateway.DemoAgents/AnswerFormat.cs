namespace ProxyGateway.DemoAgents;

/// <summary>What an answer consists of; two equal contents are rendered to equal bytes.</summary>
/// <param name="Id">Differs by agent and mode, as the ids of two calls do in the field, and by nothing else.</param>
internal sealed record AnswerContent(
    string Id, string Model, ulong PromptHash, int PromptTokens, int Tokens, bool OtherText, bool ToolCall, bool IncludeUsage);

/// <summary>A wire protocol that a demo agent speaks. Pure: contents in, bytes out.</summary>
internal abstract class AnswerFormat
{
    protected const string ToolName = "search";

    public abstract RenderedStream Stream(AnswerContent answer);

    public abstract byte[] Body(AnswerContent answer);

    /// <summary>The error event of a stream that fails in band.</summary>
    public abstract ReadOnlyMemory<byte> ErrorEvent { get; }

    /// <summary>The body of an HTTP error.</summary>
    public abstract byte[] ErrorBody(string type, string message);
}
