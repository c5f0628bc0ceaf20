using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using ProxyGateway.StreamingFallback.ChatFormats.Json;
using Yarp.ReverseProxy;

namespace ProxyGateway.StreamingFallback.ModelList;

/// <summary>
/// Asks clusters for their models and remembers the answers for a while. A cluster that does not answer in time is left out, or
/// its last answer stands in. Thread-safe.
/// </summary>
internal sealed class ModelLists(IProxyStateLookup clusters, TimeProvider time)
{
    private const int MaxAnswerBytes = 1024 * 1024;

    /// <summary>One entry per cluster and credential; beyond it all are forgotten rather than one more kept.</summary>
    private const int MaxRemembered = 256;

    private static readonly TimeSpan Fresh = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);

    private readonly Dictionary<string, (long At, JsonElement[] Models)> _remembered = [];
    private readonly Lock _gate = new();

    /// <summary>The models of one cluster, as it describes them. <paramref name="authorization"/> is the client's own, and a part of what is remembered.</summary>
    public async Task<JsonElement[]> OfAsync(string clusterId, string pathAndQuery, string? authorization, CancellationToken cancellationToken)
    {
        var key = Key(clusterId, authorization);
        (long At, JsonElement[] Models) known;
        lock (_gate)
        {
            if (_remembered.TryGetValue(key, out known) && time.GetElapsedTime(known.At) < Fresh)
            {
                return known.Models;
            }
        }

        var models = await AskAsync(clusterId, pathAndQuery, authorization, cancellationToken);
        if (models is null)
        {
            return known.Models ?? [];
        }

        lock (_gate)
        {
            if (_remembered.Count >= MaxRemembered)
            {
                _remembered.Clear();
            }

            _remembered[key] = (time.GetTimestamp(), models);
        }

        return models;
    }

    private async Task<JsonElement[]?> AskAsync(string clusterId, string pathAndQuery, string? authorization, CancellationToken cancellationToken)
    {
        if (!clusters.TryGetCluster(clusterId, out var cluster) || cluster.DestinationsState.AvailableDestinations is not [var destination, ..])
        {
            return null;
        }

        using var patience = new CancellationTokenSource(Patience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, patience.Token);
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, destination.Model.Config.Address.TrimEnd('/') + pathAndQuery);
            if (authorization is not null)
            {
                request.Headers.TryAddWithoutValidation("Authorization", authorization);
            }

            using var response = await cluster.Model.HttpClient.SendAsync(request, either.Token);
            if (!response.IsSuccessStatusCode)
            {
                return null;
            }

            await using var stream = await response.Content.ReadAsStreamAsync(either.Token);
            using var body = new MemoryStream();
            var buffer = new byte[16 * 1024];
            for (int read; (read = await stream.ReadAsync(buffer, either.Token)) > 0;)
            {
                if (body.Length + read > MaxAnswerBytes)
                {
                    return null;
                }

                body.Write(buffer, 0, read);
            }

            return Read(body.GetBuffer().AsMemory(0, (int)body.Length));
        }
        catch (Exception e) when (e is HttpRequestException or IOException or JsonException or InvalidOperationException or OperationCanceledException && !cancellationToken.IsCancellationRequested)
        {
            return null;
        }
    }

    /// <summary>The models of an upstream's list; null where it is none. One that holds text that is none cannot be passed on.</summary>
    internal static JsonElement[]? Read(ReadOnlyMemory<byte> json)
    {
        using var document = JsonDocument.Parse(json);
        return document.RootElement.ValueKind == JsonValueKind.Object
            && document.RootElement.TryGetProperty("data"u8, out var data) && data.ValueKind == JsonValueKind.Array
            ? [.. data.EnumerateArray().Where(m => RawJson.CanBeWritten(m) && m.ValueKind == JsonValueKind.Object && m.TryGetProperty("id"u8, out var id) && id.ValueKind == JsonValueKind.String).Select(m => m.Clone())]
            : null;
    }

    private static string Key(string clusterId, string? authorization) =>
        authorization is null ? clusterId : $"{clusterId} {Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(authorization)))}";
}
