namespace ProxyGateway.StreamingFallback.CircuitBreaking;

/// <summary>What an execution carries that reports to its circuit: first content, and in every case a verdict.</summary>
internal interface IPermitHolder
{
    /// <summary>Set before the execution begins; without a circuit on the way <see cref="CircuitPermit.Uncounted"/>.</summary>
    CircuitPermit Permit { set; }
}
