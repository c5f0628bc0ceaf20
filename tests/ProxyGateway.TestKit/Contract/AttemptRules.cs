using System.Text.Json;

namespace ProxyGateway.TestKit.Contract;

/// <summary>Rules 9, 10, 11, 13 and 15 on what went upstream.</summary>
internal static class AttemptRules
{
    private static readonly HashSet<string> CredentialHeaders = new(StringComparer.OrdinalIgnoreCase)
    {
        "authorization", "proxy-authorization", "x-api-key", "api-key", "x-goog-api-key", "cookie", "x-auth-token",
    };

    public static void Check(Transcript transcript, IContractFormat format, ViolationList violations)
    {
        var left = transcript.Client.Ending == ClientEnding.ClientLeft;
        foreach (var attempt in transcript.Attempts)
        {
            if (attempt.BeganAfterClientLeft)
            {
                violations.Add(11, $"an attempt at {attempt.Cluster} began after the client had left");
            }

            if (attempt.Ending == AttemptEnding.LeftOpen)
            {
                violations.Add(left ? 11 : 9, $"the attempt at {attempt.Cluster} was left running");
            }

            CheckCredentials(transcript, attempt, violations);
            CheckBody(transcript, attempt, format, violations);
        }

        CheckLimits(transcript, violations);
        if (left && transcript.Counters is { BreakerFailures: > 0 } && transcript.Attempts.All(a => a.Ending is AttemptEnding.CancelledByGateway or AttemptEnding.Stalled))
        {
            violations.Add(11, "a breaker counted the client's leave as a failure");
        }
    }

    private static void CheckLimits(Transcript transcript, ViolationList violations)
    {
        var limits = transcript.Limits;
        if (limits?.MaxAttempts is { } attempts && transcript.Attempts.Count > attempts)
        {
            violations.Add(10, $"{transcript.Attempts.Count} attempts where {attempts} are allowed");
        }

        if (limits?.MaxRequestBytes is { } request && transcript.RequestBody.Length > request
            && (transcript.Attempts.Count > 0 || (transcript.Client.Ending != ClientEnding.ClientLeft && transcript.Client.Status != 413)))
        {
            violations.Add(10, "a request larger than the limit was not refused");
        }

        if (limits is { MaxEventBytes: { } held, PeakHeldBytes: { } peakHeld } && peakHeld > held)
        {
            violations.Add(10, $"{peakHeld} bytes were held back");
        }

        if (limits is { MaxDeliveredBytes: { } kept, PeakKeptBytes: { } peakKept } && peakKept > kept)
        {
            violations.Add(10, $"{peakKept} bytes of text were kept");
        }
    }

    private static void CheckCredentials(Transcript transcript, AttemptRecord attempt, ViolationList violations)
    {
        if (!attempt.IsFallback || attempt.MaySeeClientCredentials)
        {
            return;
        }

        foreach (var secret in transcript.RequestHeaders.Where(h => CredentialHeaders.Contains(h.Key) && h.Value.Length > 0))
        {
            // Under whatever name: a credential that was renamed has still left home.
            if (attempt.RequestHeaders.Any(h => h.Value.Contains(secret.Value, StringComparison.Ordinal)))
            {
                violations.Add(13, $"the client's {secret.Key} went to {attempt.Cluster}");
            }
        }
    }

    /// <summary>An attempt's body differs from the client's only in the members that mode and model demand.</summary>
    private static void CheckBody(Transcript transcript, AttemptRecord attempt, IContractFormat format, ViolationList violations)
    {
        if (attempt.RequestBody is not { } sent || sent.AsSpan().SequenceEqual(transcript.RequestBody))
        {
            if (attempt.RequestBody is not null && attempt.Kind == AttemptKind.NonStreaming && format.ReadRequest(transcript.RequestBody, attempt.RequestTarget ?? transcript.RequestTarget) is { Streaming: true })
            {
                violations.Add(15, "a replay asks for a stream");
            }

            return;
        }

        try
        {
            using var before = JsonDocument.Parse(transcript.RequestBody, ContractJson.Options);
            using var after = JsonDocument.Parse(sent, ContractJson.Options);
            var wanted = Kept(before.RootElement, format);
            var got = Kept(after.RootElement, format);
            if (!wanted.SequenceEqual(got))
            {
                violations.Add(15, $"the request changed on its way to {attempt.Cluster}");
            }
            else if (format.ReadRequest(sent, attempt.RequestTarget ?? transcript.RequestTarget) is { } request && request.Streaming != (attempt.Kind == AttemptKind.Streaming))
            {
                violations.Add(15, $"a {attempt.Kind} attempt with stream: {request.Streaming}");
            }
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            violations.Add(15, $"the request that {attempt.Cluster} got is no JSON object");
        }
    }

    private static List<(string, string)> Kept(JsonElement root, IContractFormat format) =>
        [.. root.EnumerateObject().Where(m => !format.ChangeableMembers.Contains(m.Name)).Select(m => (m.Name, m.Value.GetRawText()))];
}
