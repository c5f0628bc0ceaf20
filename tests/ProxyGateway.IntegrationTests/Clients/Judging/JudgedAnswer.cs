namespace ProxyGateway.IntegrationTests.Clients.Judging;

/// <summary>What the agent says, in no format yet: text in pieces, or one tool call whose arguments come in pieces.</summary>
/// <param name="Number">Which of the agent's answers it is. Ids differ by it, as those of two runs do.</param>
internal sealed record JudgedAnswer(IReadOnlyList<string> Pieces, bool IsCall, int Number)
{
    public const string ToolName = "search";

    /// <summary>Begins the id of every call, so that a request that goes on from one is known.</summary>
    public const string CallIdPrefix = "call_judged";

    private static readonly string[] s_text = ["Alpha ", "Bravo ", "Čárka ", "\"Delta\" ", "Echo 🦊 ", "Foxtrot ", "Golf."];
    private static readonly string[] s_otherText = ["Another ", "run ", "says ", "it ", "in ", "other ", "words."];
    private static readonly string[] s_arguments = ["{\"query\":\"", "größte ", "Stadt\"", ",\"limit\"", ":5}"];

    public static string Text => string.Concat(s_text);

    public static string OtherText => string.Concat(s_otherText);

    public static string Arguments => string.Concat(s_arguments);

    public string Whole => string.Concat(Pieces);

    public string CallId => $"{CallIdPrefix}_{Number}";

    public static JudgedAnswer Good(int number) => new(s_text, false, number);

    public static JudgedAnswer Other(int number) => new(s_otherText, false, number);

    public static JudgedAnswer Call(int number) => new(s_arguments, true, number);
}
