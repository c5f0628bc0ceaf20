using System.Net;
using ProxyGateway.DemoAgents;

namespace ProxyGateway.Demo;

/// <summary>The verb <c>demo-agent</c>: one agent that fails as asked, for trying a configuration, a client or another proxy.</summary>
internal static class DemoAgentCommand
{
    public static async Task<int> RunAsync(DemoAgentArguments arguments, TextWriter output, TextWriter errors, CancellationToken cancellationToken)
    {
        if (!TryOptions(arguments, out var options, out var error))
        {
            errors.WriteLine(error);
            return 1;
        }

        await using var agent = await DemoAgent.StartAsync(options, cancellationToken);
        output.WriteLine($"A demo agent listens on {agent.Address.GetLeftPart(UriPartial.Authority)}: streaming {options.Streaming}, non-streaming {options.NonStreaming}.");
        try
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, cancellationToken);
        }
        catch (OperationCanceledException)
        {
            // The usual way to end it.
        }

        return 0;
    }

    public static bool TryOptions(DemoAgentArguments arguments, out DemoAgentOptions options, out string error)
    {
        (options, error) = (new DemoAgentOptions(), "");
        if (!DemoBehavior.TryParse(arguments.Streaming, out var streaming) || !DemoBehavior.TryParse(arguments.NonStreaming, out var nonStreaming))
        {
            error = "A behavior is good, reset-N, clean-N, half-N, stall-N, refuse-N, slow-N, error-N, diverge-N, tool-N or call.";
            return false;
        }

        if (!TryListen(arguments.Listen, out var address, out var port))
        {
            error = $"\"{arguments.Listen}\" is not an address to listen at; write http://127.0.0.1:3456, or http://0.0.0.0:3456 for every address.";
            return false;
        }

        options = options with
        {
            Address = address,
            Port = port,
            Streaming = streaming,
            NonStreaming = nonStreaming,
            TokenDelay = arguments.TokenDelay,
            Tokens = Math.Max(1, arguments.Tokens),
            ObeyModelNames = !arguments.IgnoreModelNames,
        };
        return true;
    }

    private static bool TryListen(string listen, out IPAddress address, out int port)
    {
        (address, port) = (IPAddress.Loopback, 0);
        try
        {
            var binding = BindingAddress.Parse(listen);
            port = binding.Port;
            return !binding.IsUnixPipe
                && binding.Scheme.Equals("http", StringComparison.OrdinalIgnoreCase)
                && (binding.Host.Equals("localhost", StringComparison.OrdinalIgnoreCase) || IPAddress.TryParse(binding.Host.Trim('[', ']'), out address!));
        }
        catch (FormatException)
        {
            return false;
        }
    }
}

/// <summary>What the command line says about a demo agent.</summary>
internal sealed record DemoAgentArguments(string Listen, string Streaming, string NonStreaming, int Tokens, TimeSpan TokenDelay, bool IgnoreModelNames);
