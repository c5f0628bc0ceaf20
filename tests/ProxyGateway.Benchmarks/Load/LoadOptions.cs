namespace ProxyGateway.Benchmarks.Load;

/// <summary>What a load run measures, and how long.</summary>
internal sealed class LoadOptions
{
    public IReadOnlyList<string> Targets { get; private set; } = ["yarp", "yarp-tuned", "gateway", "gateway-inline", "nginx", "haproxy"];

    /// <summary>Null: all of them.</summary>
    public IReadOnlyList<string>? Cells { get; private set; }

    public bool Quick { get; private set; }

    public int Rounds { get; private set; } = 5;

    public TimeSpan Window => TimeSpan.FromSeconds(Quick ? 2.5 : 5);

    public string? JsonFile { get; private set; }

    /// <summary>Another gateway executable (a published one) than the one this bench was built with.</summary>
    public string? GatewayPath { get; private set; }

    /// <summary>An earlier build, measured beside this one as <c>gateway-before</c>.</summary>
    public string? BeforePath { get; private set; }

    /// <summary>Directory with <c>node_modules/@portkey-ai/gateway</c>.</summary>
    public string? PortkeyDirectory { get; private set; }

    public bool Wants(string cell) => Cells is null || Cells.Contains(cell);

    /// <summary>Null where the arguments cannot be read; the reason was printed then.</summary>
    public static LoadOptions? Parse(string[] args)
    {
        var options = new LoadOptions();
        int? rounds = null;
        for (var i = 0; i < args.Length; i++)
        {
            if (args[i] == "--quick")
            {
                options.Quick = true;
                continue;
            }

            if (i + 1 == args.Length)
            {
                Console.Error.WriteLine($"{args[i]}: unknown, or its value is missing.");
                return null;
            }

            var value = args[++i];
            switch (args[i - 1])
            {
                case "--targets":
                    options.Targets = value.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
                    break;
                case "--cells":
                    options.Cells = value.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
                    break;
                case "--rounds" when int.TryParse(value, out var n) && n is > 0 and <= 100:
                    rounds = n;
                    break;
                case "--json":
                    options.JsonFile = Path.GetFullPath(value);
                    break;
                case "--gateway":
                    options.GatewayPath = Path.GetFullPath(value);
                    break;
                case "--before":
                    options.BeforePath = Path.GetFullPath(value);
                    break;
                case "--portkey":
                    options.PortkeyDirectory = Path.GetFullPath(value);
                    break;
                default:
                    Console.Error.WriteLine($"{args[i - 1]} {value}: cannot be used.");
                    return null;
            }
        }

        options.Rounds = rounds ?? (options.Quick ? 2 : 5);
        return options;
    }
}
