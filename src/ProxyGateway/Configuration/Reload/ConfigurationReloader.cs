using ProxyGateway.Configuration.Merging;
using ProxyGateway.Configuration.Validation;

namespace ProxyGateway.Configuration.Reload;

/// <summary>
/// The only one who swaps. A candidate takes the place of the running configuration when all of it is valid, else the
/// last good one stays and the reason is kept.
/// </summary>
internal sealed class ConfigurationReloader(
    ConfigurationReader reader,
    CandidateBuilder builder,
    GatewayConfigurationProvider provider,
    ConfigurationCandidate first,
    ProxyVerdict verdict,
    TimeProvider time,
    ILogger<ConfigurationReloader> logger)
{
    private readonly Lock _gate = new();
    private string _judged = first.Raw.Fingerprint;
    private string? _suspect;
    private IReadOnlyList<string> _knownWarnings = Texts(first);
    private volatile ReloadState _state = First(first, time);

    public ReloadState State => _state;

    /// <summary>The configuration that serves.</summary>
    public ConfigurationSnapshot Current => provider.Current;

    /// <summary>Reads, judges and (unless <paramref name="dryRun"/>) applies at once, whether or not anything changed on disk.</summary>
    public ReloadResult Reload(bool dryRun)
    {
        lock (_gate)
        {
            var candidate = builder.Build(reader.Read());
            return dryRun ? Result(candidate, dryRun: true) : Apply_NeedsLock(candidate);
        }
    }

    /// <summary>
    /// Looks whether the disk holds something new. A candidate that is invalid gets until the next look before it is
    /// judged: a writer may be in the middle of it, or the file be gone for the moment of a rename.
    /// </summary>
    public void Poll()
    {
        // A look that finds the last one still at work has nothing to add.
        if (!_gate.TryEnter())
        {
            return;
        }

        try
        {
            var raw = reader.Read();
            if (raw.Fingerprint == _judged)
            {
                _suspect = null;
                return;
            }

            var candidate = builder.Build(raw);
            if (!candidate.IsValid && raw.Fingerprint != _suspect)
            {
                _suspect = raw.Fingerprint;
                return;
            }

            Apply_NeedsLock(candidate);
        }
        finally
        {
            _gate.Exit();
        }
    }

    private static ReloadState First(ConfigurationCandidate candidate, TimeProvider time)
    {
        var now = time.GetUtcNow();
        var changes = ConfigurationDifference.Between(ConfigurationSnapshot.Empty, candidate.Snapshot, candidate.Snapshot);
        return new ReloadState(1, new ReloadResult(true, false, 1, now, changes, candidate.Diagnostics), now);
    }

    private static string[] Texts(ConfigurationCandidate candidate) => [.. candidate.Warnings.Select(w => w.ToString())];

    private ReloadResult Apply_NeedsLock(ConfigurationCandidate candidate)
    {
        _judged = candidate.Raw.Fingerprint;
        _suspect = null;
        var result = Result(candidate, dryRun: false);
        if (!result.Success)
        {
            return Reject_NeedsLock(result);
        }

        if (result.Changes!.IsEmpty)
        {
            _state = new ReloadState(result.Version, result, result.At);
            ReloadLog.Unchanged(logger, result.Version);
        }
        else
        {
            result = Swap_NeedsLock(candidate, result);
        }

        if (result.Success)
        {
            LogNewWarnings_NeedsLock(candidate);
        }

        return result;
    }

    private ReloadResult Reject_NeedsLock(ReloadResult result)
    {
        _state = _state with { LastResult = result };
        ReloadLog.Rejected(logger, result.Version, result.Summary);
        return result;
    }

    private ReloadResult Swap_NeedsLock(ConfigurationCandidate candidate, ReloadResult result)
    {
        var before = provider.Current;
        verdict.Clear();
        Signal_NeedsLock(candidate.Snapshot, result.Version + 1);
        if (verdict.Failure is { } failure)
        {
            // YARP kept its own configuration; whoever else reads must not go on with another one.
            Signal_NeedsLock(before, result.Version);
            return Reject_NeedsLock(result with { Success = false, Changes = null, Diagnostics = [.. result.Diagnostics, NotTakenOn(candidate, failure)] });
        }

        result = result with { Version = result.Version + 1 };
        _state = new ReloadState(result.Version, result, result.At);
        ReloadLog.Reloaded(logger, result.Changes!.Summary, result.Version);
        return result;
    }

    private void Signal_NeedsLock(ConfigurationSnapshot next, long version)
    {
        try
        {
            provider.Swap(next);
        }
        catch (Exception exception) when (exception is not OutOfMemoryException)
        {
            // The values are swapped; what threw is one listener of many, and the others have been told.
            ReloadLog.ReaderFailed(logger, exception, version);
        }
    }

    /// <summary>Without the exception's message, which may quote a value.</summary>
    private static Diagnostic NotTakenOn(ConfigurationCandidate candidate, Exception failure) => new(
        Severity.Error,
        candidate.Snapshot.Root.Origin,
        "(file)",
        $"YARP did not take it on: {failure.GetBaseException().GetType().Name}",
        null,
        "the log line of Yarp.ReverseProxy before this one says why; please report the file");

    private void LogNewWarnings_NeedsLock(ConfigurationCandidate candidate)
    {
        var warnings = Texts(candidate);
        foreach (var warning in warnings.Except(_knownWarnings))
        {
            ReloadLog.Finding(logger, warning);
        }

        _knownWarnings = warnings;
    }

    private ReloadResult Result(ConfigurationCandidate candidate, bool dryRun) => new(
        candidate.IsValid,
        dryRun,
        _state.Version,
        time.GetUtcNow(),
        candidate.IsValid ? ConfigurationDifference.Between(provider.Current, candidate.Snapshot, first.Snapshot) : null,
        candidate.Diagnostics);
}
