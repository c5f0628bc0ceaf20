using Xunit;

namespace ProxyGateway.IntegrationTests.Hostile;

/// <summary>What a run measured, for whoever started it. The nightly script names a file for it.</summary>
internal static class Figures
{
    private static readonly Lock Gate = new();

    /// <summary>Whether the long form was asked for.</summary>
    public static bool IsNightly => Environment.GetEnvironmentVariable("PROXYGATEWAY_NIGHTLY") == "1";

    public static int Size(int shortForm, int nightly) => IsNightly ? nightly : shortForm;

    public static void Write(string item, string text)
    {
        TestContext.Current.TestOutputHelper?.WriteLine($"{item}: {text}");
        if (Environment.GetEnvironmentVariable("PROXYGATEWAY_FIGURES") is { Length: > 0 } file)
        {
            lock (Gate)
            {
                File.AppendAllText(file, $"{item}: {text}\n");
            }
        }
    }
}
