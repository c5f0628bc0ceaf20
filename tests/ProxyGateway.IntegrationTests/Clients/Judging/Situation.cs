namespace ProxyGateway.IntegrationTests.Clients.Judging;

/// <summary>What the caller of a client may get.</summary>
internal enum Verdict
{
    Whole,
    Exception,
}

/// <summary>What goes wrong at the upstream, and what the client's caller is owed.</summary>
/// <param name="Name">The word in the prompt that has the agent play it.</param>
internal sealed record Situation(string Name, string Title, Verdict Owed)
{
    /// <summary>Whether there never is any text.</summary>
    public bool IsBeforeText => Name is "dead" or "slow-dead";

    public static readonly Situation Healthy = new("healthy", "healthy", Verdict.Whole);
    public static readonly Situation BeforeContent = new("before", "fault before content", Verdict.Whole);
    public static readonly Situation EqualReplay = new("equal", "fault after content, equal replay", Verdict.Whole);
    public static readonly Situation CleanEnd = new("clean", "clean end in mid-answer, equal replay", Verdict.Whole);
    public static readonly Situation Tool = new("tool", "tool call in flight", Verdict.Whole);
    public static readonly Situation Diverging = new("diverging", "fault after content, diverging replay", Verdict.Exception);
    public static readonly Situation FailsLater = new("fails-later", "fault after content, every replay fails", Verdict.Exception);
    public static readonly Situation Dead = new("dead", "everything fails", Verdict.Exception);

    public static readonly Situation Slow = new("slow", "silence, then the answer", Verdict.Whole);
    public static readonly Situation SlowReplay = new("slow-equal", "fault after content, slow equal replay", Verdict.Whole);
    public static readonly Situation SlowDead = new("slow-dead", "silence, then everything fails", Verdict.Exception);

    /// <summary>Those in which the gateway beats: it has committed and waits.</summary>
    public static IReadOnlyList<Situation> Waiting { get; } = [Slow, SlowReplay, SlowDead];

    /// <summary>Those that show what a client does with a failure that nobody repairs.</summary>
    public static IReadOnlyList<Situation> Unrepaired { get; } =
        [Healthy, EqualReplay with { Title = "fault after content" }, CleanEnd with { Title = "clean end in mid-answer" }, Tool];

    public static IReadOnlyList<Situation> All { get; } = [Healthy, BeforeContent, EqualReplay, CleanEnd, Tool, Diverging, FailsLater, Dead];

    public static Situation? Find(string name) => All.Concat(Waiting).FirstOrDefault(s => s.Name == name);
}
