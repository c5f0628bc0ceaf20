namespace ProxyGateway.StreamingFallback.Telemetry;

/// <summary>In which phases a fault of an upstream is met. A pair that is missing here is counted all the same, only not from 0 on.</summary>
internal static class FaultPhases
{
    public static FaultPhase[] Phases(this FaultKind kind) => kind switch
    {
        FaultKind.ConnectFailed or FaultKind.ConnectTimeout or FaultKind.TlsFailed => [FaultPhase.Connect],
        FaultKind.ConnectionReset => [FaultPhase.Headers, FaultPhase.Replay],
        FaultKind.ResponseHeadersTimeout or FaultKind.HttpStatus => [FaultPhase.Headers],
        FaultKind.FirstContentTimeout or FaultKind.EmptyStream or FaultKind.WrongContentType => [FaultPhase.FirstContent],
        FaultKind.ErrorBody => [FaultPhase.FirstContent, FaultPhase.Replay],
        FaultKind.EndedEarly => [FaultPhase.Headers, FaultPhase.FirstContent, FaultPhase.Content, FaultPhase.Replay],
        FaultKind.ErrorEvent or FaultKind.MalformedEvents or FaultKind.EventTooLarge => [FaultPhase.FirstContent, FaultPhase.Content],
        FaultKind.IdleTimeout or FaultKind.EndedWithoutTerminal or FaultKind.BrokenToolCall => [FaultPhase.Content],
        FaultKind.AnswerTimeout or FaultKind.ReplayTimeout or FaultKind.ReplayUnusable or FaultKind.Divergence => [FaultPhase.Replay],
        _ => [],
    };
}
