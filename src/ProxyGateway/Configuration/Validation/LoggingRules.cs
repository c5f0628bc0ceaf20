using System.Globalization;
using Microsoft.Extensions.Logging.Console;
using ProxyGateway.Configuration.Parsing;

namespace ProxyGateway.Configuration.Validation;

/// <summary>What .NET's logging would stop a start over: levels that are none, and values of the console that cannot be read.</summary>
internal static class LoggingRules
{
    public static void Check(SettingNode root, DiagnosticBag diagnostics)
    {
        if (root["Logging"] is not { } logging)
        {
            return;
        }

        CheckLevels(logging["LogLevel"], diagnostics);
        foreach (var provider in logging.Children)
        {
            CheckLevels(provider["LogLevel"], diagnostics);
        }

        var console = logging["Console"];
        CheckChoice<ConsoleLoggerQueueFullMode>(console?["QueueFullMode"], diagnostics);
        if (console?["MaxQueueLength"] is { IsScalar: true } length && !(int.TryParse(length.Value, NumberStyles.None, CultureInfo.InvariantCulture, out var lines) && lines > 0))
        {
            diagnostics.Error(length, "not a number of lines", "write a whole number from 1");
        }
    }

    private static void CheckLevels(SettingNode? levels, DiagnosticBag diagnostics)
    {
        foreach (var level in levels?.Children ?? [])
        {
            CheckChoice<LogLevel>(level, diagnostics);
        }
    }

    private static void CheckChoice<T>(SettingNode? node, DiagnosticBag diagnostics)
        where T : struct, Enum
    {
        if (node is { IsScalar: true, Value.Length: > 0 } && !Enum.GetNames<T>().Contains(node.Value, StringComparer.OrdinalIgnoreCase))
        {
            diagnostics.Error(node, "not one of the values", NearMiss.Suggest(node.Value, Enum.GetNames<T>(), "values"));
        }
    }
}
