namespace ProxyGateway.Demo;

/// <summary>How a request of the demo is promised to end.</summary>
internal enum DemoPromise
{
    Complete,
    Terminated,
}

/// <summary>One request of the demo.</summary>
/// <param name="Model">Chooses the cluster, and the behavior of its agent.</param>
/// <param name="Cluster">The cluster that the gateway's configuration gives this model to.</param>
/// <param name="MustFail">Whether an agent has to have failed for the case to show anything.</param>
/// <param name="ReferenceModel">The model that gives the same answer without a fault, asked without the gateway.</param>
internal sealed record DemoCase(string Model, string Cluster, DemoPromise Promise, bool MustFail = true, string ReferenceModel = "demo-good")
{
    public static IReadOnlyList<DemoCase> All { get; } =
    [
        new("demo-good", DemoFleet.Good, DemoPromise.Complete, MustFail: false),
        new("demo-reset-12", DemoFleet.Dying, DemoPromise.Complete),
        new("demo-clean-12", DemoFleet.Dying, DemoPromise.Complete),
        new("demo-half-12", DemoFleet.Dying, DemoPromise.Complete),
        new("demo-error-12", DemoFleet.Dying, DemoPromise.Complete),
        new("demo-stall-12", DemoFleet.Stalling, DemoPromise.Complete),
        new("demo-tool-12", DemoFleet.Dying, DemoPromise.Complete, ReferenceModel: "demo-call"),
        new("demo-broken", DemoFleet.Broken, DemoPromise.Complete),
        new("demo-slow-5000", DemoFleet.Dying, DemoPromise.Complete),
        new("demo-refuse", DemoFleet.Refusing, DemoPromise.Complete),
        // The circuit may be open by now, so that the refusing agent need not be asked.
        new("demo-refuse", DemoFleet.Refusing, DemoPromise.Complete, MustFail: false),
        new("demo-diverge-12", DemoFleet.Diverging, DemoPromise.Terminated),
    ];

    public string Prompt => "Tell me a story about " + Model;
}
