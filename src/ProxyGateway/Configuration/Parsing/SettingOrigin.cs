namespace ProxyGateway.Configuration.Parsing;

/// <summary>Where a key or a value was written: a place in a file, or (line 0) a source that has no lines.</summary>
internal readonly record struct SettingOrigin(string Source, int Line = 0, int Column = 0, bool IsSecret = false)
{
    /// <summary>Whether it was read from the configuration file itself.</summary>
    public bool IsInFile => Line > 0;

    public override string ToString() => Line > 0 ? $"{Source}:{Line}:{Column}" : Source;
}
