namespace ProxyGateway.StreamingFallback.ChatFormats.A2A;

/// <summary>What a JSON-RPC 2.0 request says of itself.</summary>
/// <param name="Id">The raw JSON of <c>id</c>, which every response repeats; null where there is none.</param>
/// <param name="Method">The method called.</param>
/// <param name="MethodValue">Where the value of <c>method</c> stands in the body.</param>
internal sealed record JsonRpcCall(byte[]? Id, string Method, Range MethodValue)
{
    public const string MessageStream = "message/stream";
    public const string MessageSend = "message/send";
    public const string TasksResubscribe = "tasks/resubscribe";
    public const string TasksGet = "tasks/get";

    /// <summary>Whether the call is answered by a stream.</summary>
    public bool IsStreaming => Method is MessageStream or TasksResubscribe;
}
