using Xunit;

namespace ProxyGateway.IntegrationTests.Telemetry;

/// <summary>An exporter takes in every meter and every source of its name in the process, other tests' gateways too: these run with nothing beside them.</summary>
[CollectionDefinition(nameof(AloneCollection), DisableParallelization = true)]
public sealed class AloneCollection;
