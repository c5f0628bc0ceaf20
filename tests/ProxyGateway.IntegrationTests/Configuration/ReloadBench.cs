using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using ProxyGateway.Configuration;
using ProxyGateway.Configuration.Merging;
using ProxyGateway.Configuration.Reload;
using ProxyGateway.Configuration.Validation;

namespace ProxyGateway.IntegrationTests.Configuration;

/// <summary>A reloader over a real directory, looked at by hand, so that no test waits for a clock.</summary>
internal sealed class ReloadBench : IDisposable
{
    private readonly ServiceProvider _services;

    public ReloadBench(string? secrets = null)
    {
        Directory = System.IO.Directory.CreateTempSubdirectory("gateway-reload-").FullName;
        File = Path.Combine(Directory, "appsettings.json");
        System.IO.File.WriteAllText(File, Text(3456));

        // No other secrets directory than the bench's own, whatever machine the tests run on.
        var secretsDirectory = secrets ?? System.IO.Directory.CreateDirectory(Path.Combine(Directory, "no-secrets")).FullName;
        Inputs = new ConfigurationInputs
        {
            File = File,
            Environment = new Dictionary<string, string> { [ConfigurationInputs.SecretsDirectoryVariable] = secretsDirectory },
        };
        Log = new RecordingLogger();
        _services = Start();
        Reloader = _services.GetRequiredService<ConfigurationReloader>();
        Configuration = _services.GetRequiredService<IConfiguration>();
    }

    public string Directory { get; }

    public string File { get; }

    public ConfigurationInputs Inputs { get; }

    public RecordingLogger Log { get; }

    public ConfigurationReloader Reloader { get; }

    public IConfiguration Configuration { get; }

    public string? Address => Configuration["ReverseProxy:Clusters:agent:Destinations:a:Address"];

    public static string Text(int port, string extraCluster = "") => $$"""
        {
          "ReverseProxy": {
            "Routes": {
              "chat": {
                "ClusterId": "agent",
                "Match": { "Path": "/v1/chat/completions" },
                "StreamingFallback": { "Format": "openai-chat" }
              }
            },
            "Clusters": { {{extraCluster}} "agent": { "Destinations": { "a": { "Address": "http://127.0.0.1:{{port}}" } } } }
          }
        }
        """;

    /// <summary>Two looks: enough for whatever has settled to be judged.</summary>
    public void Look()
    {
        Reloader.Poll();
        Reloader.Poll();
    }

    public void Dispose()
    {
        _services.Dispose();
        System.IO.Directory.Delete(Directory, recursive: true);
    }

    private ServiceProvider Start()
    {
        var gateway = GatewayConfiguration.Load(Inputs, new ValidationContext());
        var configuration = new ConfigurationBuilder();
        gateway.AddTo(configuration);
        var services = new ServiceCollection();
        services.AddSingleton<IConfiguration>(configuration.Build());
        services.AddLogging(b => b.AddProvider(Log));
        gateway.AddTo(services);
        return services.BuildServiceProvider();
    }
}

/// <summary>Keeps formatted lines.</summary>
internal sealed class RecordingLogger : ILoggerProvider, ILogger
{
    private readonly List<string> _lines = [];

    public IReadOnlyList<string> Lines
    {
        get
        {
            lock (_lines)
            {
                return [.. _lines];
            }
        }
    }

    public ILogger CreateLogger(string categoryName) => this;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        lock (_lines)
        {
            _lines.Add(formatter(state, exception));
        }
    }

    public void Dispose()
    {
    }
}
