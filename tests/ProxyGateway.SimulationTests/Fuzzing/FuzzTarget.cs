namespace ProxyGateway.SimulationTests.Fuzzing;

/// <summary>One piece of the product that takes what others send, and what must hold for whatever they send.</summary>
internal abstract class FuzzTarget
{
    public abstract string Name { get; }

    /// <summary>How many runs a test run takes.</summary>
    public virtual int ShortRuns => 4000;

    public abstract FuzzInput Make(FuzzRandom random);

    /// <summary>What is wrong; null where nothing is. An exception is wrong too.</summary>
    public abstract string? Check(FuzzInput input);
}
