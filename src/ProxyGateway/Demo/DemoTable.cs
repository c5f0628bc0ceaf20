namespace ProxyGateway.Demo;

/// <summary>Prints results as a table whose cells have several lines; each row as soon as it is known.</summary>
internal sealed class DemoTable(TextWriter output)
{
    private static readonly int[] s_widths = [16, 38, 30, 20, 8];

    public void WriteHeader()
    {
        WriteRow([["model"], ["what the agents did"], ["what the client got"], ["x-gateway-…"], ["promise"]]);
        WriteRule();
    }

    public void Write(DemoResult result)
    {
        WriteRow([[result.Case.Model], result.AgentLines, result.ClientLines, result.HeaderLines, [result.Kept ? "kept" : "NOT KEPT"]]);
        WriteRule();
    }

    private void WriteRule() => output.WriteLine(string.Join("-+-", s_widths.Select(width => new string('-', width))));

    private void WriteRow(string[][] cells)
    {
        for (var line = 0; line < cells.Max(cell => cell.Length); line++)
        {
            var columns = cells.Select((cell, column) => (line < cell.Length ? cell[line] : "").PadRight(s_widths[column]));
            output.WriteLine(string.Join(" | ", columns).TrimEnd());
        }
    }
}
