namespace ProxyGateway.DeployTests.Container;

/// <summary>A Dockerfile as stages of instructions; continuation lines joined, comments dropped.</summary>
internal sealed record Dockerfile(IReadOnlyList<Dockerfile.Stage> Stages)
{
    public static Dockerfile Read(string text)
    {
        var stages = new List<Stage>();
        var pending = "";
        foreach (var line in text.Split('\n').Select(l => l.Trim()).Where(l => l.Length > 0 && !l.StartsWith('#')))
        {
            pending += line.TrimEnd('\\').Trim() + " ";
            if (line.EndsWith('\\'))
            {
                continue;
            }

            var (name, rest) = Split(pending.Trim());
            pending = "";
            if (name == "FROM")
            {
                var words = rest.Split(' ');
                stages.Add(new Stage(words[0], words.Length == 3 && words[1] == "AS" ? words[2] : "", []));
            }
            else if (stages.Count > 0)
            {
                stages[^1].Instructions.Add(new Instruction(name, rest));
            }
        }

        return new Dockerfile(stages);
    }

    private static (string Name, string Value) Split(string line)
    {
        var space = line.IndexOf(' ', StringComparison.Ordinal);
        return (line[..space].ToUpperInvariant(), line[(space + 1)..].Trim());
    }

    internal sealed record Instruction(string Name, string Value);

    internal sealed record Stage(string Image, string Name, List<Instruction> Instructions)
    {
        public IEnumerable<string> Values(string name) => Instructions.Where(i => i.Name == name).Select(i => i.Value);
    }
}
