using System.Globalization;
using ProxyGateway.Configuration.Catalogue;

namespace ProxyGateway.Configuration.Validation;

/// <summary>Limits of memory that contradict each other.</summary>
internal static class MemoryRules
{
    public static void Check(GatewayModel model, DiagnosticBag diagnostics)
    {
        if (model.Root.Find("StreamingFallback", "MaxReplayMemoryBytes") is not { IsScalar: true } memory
            || !long.TryParse(memory.Value, NumberStyles.None, CultureInfo.InvariantCulture, out var limit)
            || limit == 0)
        {
            return;
        }

        var written = model.Root.Find("StreamingFallback", "MaxRequestBytes")?.Value;
        var request = written ?? FallbackCatalogue.Section.Child("MaxRequestBytes")!.Default!;
        if (long.TryParse(request, NumberStyles.None, CultureInfo.InvariantCulture, out var largest) && limit < largest)
        {
            diagnostics.Error(
                memory,
                $"is less than one request may bring (MaxRequestBytes is {request}{(written is null ? ", the default" : "")}), so a large one would always be refused as overload",
                $"use at least {request}, or 0 for no limit");
        }
    }
}
