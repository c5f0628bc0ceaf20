namespace ProxyGateway.TestKit.Contract;

/// <summary>A rule of the stream contract that a transcript breaks.</summary>
public sealed record Violation(int Rule, string Text)
{
    public override string ToString() => $"rule {Rule}: {Text}";
}

/// <summary>Collects violations; a rule says the same thing once.</summary>
public sealed class ViolationList
{
    private readonly List<Violation> _items = [];

    public IReadOnlyList<Violation> Items => _items;

    public int Count => _items.Count;

    public void Add(int rule, string text)
    {
        var violation = new Violation(rule, text);
        if (!_items.Contains(violation))
        {
            _items.Add(violation);
        }
    }

    public bool Has(int rule) => _items.Exists(v => v.Rule == rule);
}
