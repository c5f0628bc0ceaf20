using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;

namespace ProxyGateway.Benchmarks.Micro;

/// <summary>What the pieces cost on their own. In this process: no project is generated and built per benchmark.</summary>
internal static class MicroBenchmarks
{
    public static int Run(string[] arguments)
    {
        var config = ManualConfig.Create(DefaultConfig.Instance)
            .AddJob(Job.ShortRun.WithToolchain(InProcessEmitToolchain.Instance))
            .WithOption(ConfigOptions.JoinSummary, true);
        var summaries = BenchmarkSwitcher.FromTypes([typeof(StreamBenchmarks), typeof(FormatBenchmarks), typeof(ExchangeBenchmarks)])
            .Run(arguments.Length == 0 ? ["--filter", "*"] : arguments, config);
        return summaries.Any(s => !s.HasCriticalValidationErrors) ? 0 : 1;
    }
}
