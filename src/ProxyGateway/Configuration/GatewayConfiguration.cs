using ProxyGateway.Configuration.Merging;
using ProxyGateway.Configuration.Reload;
using ProxyGateway.Configuration.Validation;
using Yarp.ReverseProxy.Configuration;

namespace ProxyGateway.Configuration;

/// <summary>The configuration of one process: loaded once before the host is built, kept fresh by a service in it.</summary>
internal sealed class GatewayConfiguration
{
    private readonly ConfigurationReader _reader;
    private readonly CandidateBuilder _builder;
    private readonly GatewayConfigurationProvider _provider;

    private GatewayConfiguration(ConfigurationReader reader, CandidateBuilder builder, ConfigurationCandidate first)
    {
        _reader = reader;
        _builder = builder;
        First = first;
        _provider = new GatewayConfigurationProvider(first.Snapshot);
    }

    /// <summary>What the start found. Serve only where it is valid.</summary>
    public ConfigurationCandidate First { get; }

    public static GatewayConfiguration Load(ConfigurationInputs inputs, ValidationContext? context = null)
    {
        var reader = new ConfigurationReader(inputs);
        var builder = new CandidateBuilder(inputs, context ?? ValidationContext.OfThisMachine(inputs.File));
        return new GatewayConfiguration(reader, builder, builder.Build(reader.Read()));
    }

    /// <summary>
    /// Whether the process may serve: true, with warnings written; false, with every error written in the form of
    /// <c>check</c>, and then <see cref="ConfigurationCandidate.ExitCode"/> is the process's own.
    /// </summary>
    public bool ReportStart(TextWriter errors)
    {
        foreach (var diagnostic in First.Diagnostics)
        {
            errors.WriteLine(diagnostic);
        }

        return First.IsValid;
    }

    /// <summary>Add it after every other source: children then come in file order.</summary>
    public void AddTo(IConfigurationBuilder configuration) => configuration.Add(new GatewayConfigurationSource(_provider));

    /// <summary>Adds the reloader and the service that drives it.</summary>
    public void AddTo(IServiceCollection services)
    {
        services.AddSingleton<ProxyVerdict>();
        services.AddSingleton<IConfigChangeListener>(sp => sp.GetRequiredService<ProxyVerdict>());
        services.AddSingleton(sp => new ConfigurationReloader(
            _reader,
            _builder,
            _provider,
            First,
            sp.GetRequiredService<ProxyVerdict>(),
            sp.GetService<TimeProvider>() ?? TimeProvider.System,
            sp.GetRequiredService<ILogger<ConfigurationReloader>>()));
        services.AddSingleton<ConfigurationMetrics>();
        services.AddHostedService(sp =>
        {
            // The series must be there before the first edit.
            _ = sp.GetRequiredService<ConfigurationMetrics>();
            return new ConfigurationReloadService(sp.GetRequiredService<ConfigurationReloader>(), sp.GetService<TimeProvider>() ?? TimeProvider.System);
        });
    }
}
