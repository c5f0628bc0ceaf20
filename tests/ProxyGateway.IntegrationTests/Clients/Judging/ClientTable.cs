using System.Text;
using ProxyGateway.TestKit.Data;
using Xunit;

namespace ProxyGateway.IntegrationTests.Clients.Judging;

/// <summary>The tables of docs/clients.md. Each stands between two marks; <c>UPDATE_GENERATED=1</c> writes it anew.</summary>
internal static class ClientTable
{
    private static readonly Lock s_file = new();

    public static string RepositoryRoot { get; } = SharedData.RepositoryRoot(AppContext.BaseDirectory)!;

    public static void Compare(string section, IReadOnlyCollection<Judgement> judgements)
    {
        var table = Write(judgements);
        var file = Path.Combine(RepositoryRoot, "docs", "clients.md");
        var (begin, end) = ($"<!-- {section}: written by a test run -->\n", $"<!-- end of {section} -->");
        lock (s_file)
        {
            var text = File.ReadAllText(file);
            var from = text.IndexOf(begin, StringComparison.Ordinal) + begin.Length;
            var to = text.IndexOf(end, StringComparison.Ordinal);
            Assert.True(from >= begin.Length && to >= from, $"{file} has no section {section}");
            if (Environment.GetEnvironmentVariable("UPDATE_GENERATED") == "1")
            {
                text = string.Concat(text.AsSpan(0, from), table, text.AsSpan(to));
                File.WriteAllText(file, text);
                return;
            }

            Assert.Equal(table, text[from..to]);
        }
    }

    private static string Write(IReadOnlyCollection<Judgement> judgements)
    {
        var situations = judgements.Select(j => j.Situation).Distinct().ToList();
        var text = new StringBuilder("| client | ").AppendJoin(" | ", situations.Select(s => s.Title)).Append(" |\n|---|");
        text.Append(string.Concat(situations.Select(_ => "---|"))).Append('\n');
        foreach (var client in judgements.GroupBy(j => j.Client))
        {
            text.Append("| ").Append(client.Key).Append(" | ").AppendJoin(" | ", situations.Select(s => client.Single(j => j.Situation == s).Shown)).Append(" |\n");
        }

        return text.ToString();
    }
}
