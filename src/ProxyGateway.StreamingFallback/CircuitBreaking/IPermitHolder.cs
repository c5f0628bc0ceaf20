namespace ProxyGateway.StreamingFallback.CircuitBreaking;

/// <summary>What an execution carries that reports first content or an early verdict to its circuit.</summary>
internal interface IPermitHolder
{
    /// <summary>Set before the execution begins; without a circuit on the way <see cref="CircuitPermit.Uncounted"/>.</summary>
    CircuitPermit Permit { set; }
}
