using System.Net;
using ProxyGateway.Configuration.Catalogue;
using ProxyGateway.Configuration.Parsing;

namespace ProxyGateway.Configuration.Validation;

/// <summary>The gateway's own addresses, and clusters that point back at them.</summary>
internal static class ListenRules
{
    private static readonly string[] s_names = ["Listen", "ListenHttp2", "ManagementListen"];

    public static void Check(GatewayModel model, ValidationContext context, DiagnosticBag diagnostics)
    {
        var listeners = s_names.Select(n => Read(model.Root, n, diagnostics)).OfType<Listener>().ToList();
        CheckPorts(listeners, diagnostics);
        CheckCertificate(model.Root, listeners, context, diagnostics);

        foreach (var destination in model.Clusters.SelectMany(c => c.Destinations))
        {
            if (destination["Address"] is { IsScalar: true } address
                && Uri.TryCreate(address.Value, UriKind.Absolute, out var uri)
                && listeners.Find(l => l.Binding.Port == uri.Port && PointsHere(uri, l, context)) is { } own)
            {
                diagnostics.Error(
                    address,
                    $"the destination is the gateway's own Gateway:{own.Name}, so requests would go round in circles",
                    "name the agent's address");
            }
        }
    }

    private static Listener? Read(SettingNode root, string name, DiagnosticBag diagnostics)
    {
        var node = root.Find("Gateway", name);
        var text = node is { IsScalar: true } ? node.Value : GatewayCatalogue.Section.Child(name)!.Default;
        if (string.IsNullOrEmpty(text) && (node is null || name == "ListenHttp2"))
        {
            return null;
        }

        try
        {
            var binding = BindingAddress.Parse(text!);
            var isHttp = binding.Scheme.Equals("http", StringComparison.OrdinalIgnoreCase);
            if (node is not null && !isHttp && (name == "ListenHttp2" || !binding.Scheme.Equals("https", StringComparison.OrdinalIgnoreCase)))
            {
                diagnostics.Error(node, name == "ListenHttp2" ? "is for HTTP/2 without TLS" : "neither http nor https", "write \"http://127.0.0.1:8082\"; HTTP/2 over TLS is part of an https Listen");
            }
            else if (node is not null && binding.PathBase.Length > 0)
            {
                diagnostics.Error(node, "the address has a path", "leave the path out; routes match paths");
            }
            else if (node is not null && !binding.IsUnixPipe && !IsHost(binding.Host))
            {
                diagnostics.Error(node, "the host is no IP address", "write an address of this machine, localhost, or * for every one, as \"http://*:8080\"");
            }
            else if (binding.Port is < 0 or > 65535)
            {
                throw new FormatException();
            }

            return new Listener(name, node, binding);
        }
        catch (FormatException)
        {
            if (node is not null)
            {
                diagnostics.Error(node, "not an address to listen at", $"write \"{GatewayCatalogue.Section.Child(name)!.Default ?? "http://127.0.0.1:8082"}\"");
            }

            return null;
        }
    }

    /// <summary>The binding takes every other name, a mistyped address included, for every address of the machine.</summary>
    private static bool IsHost(string host) =>
        host is "*" or "+"
        || host.Equals("localhost", StringComparison.OrdinalIgnoreCase)
        || (host.StartsWith('[') == host.EndsWith(']') && IPAddress.TryParse(host.Trim('[', ']'), out _));

    private static void CheckPorts(List<Listener> listeners, DiagnosticBag diagnostics)
    {
        for (var i = 1; i < listeners.Count; i++)
        {
            if (listeners[i].Binding.Port == 0
                || listeners.Take(i).FirstOrDefault(l => l.Binding.Port == listeners[i].Binding.Port) is not { } other
                || (listeners[i].Node ?? other.Node) is not { } written)
            {
                continue;
            }

            diagnostics.Error(written, $"Gateway:{other.Name} and Gateway:{listeners[i].Name} have the same port", "give each its own port; nothing of the management port is served on the proxy's");
        }
    }

    private static void CheckCertificate(SettingNode root, List<Listener> listeners, ValidationContext context, DiagnosticBag diagnostics)
    {
        var https = listeners.Find(l => l.Name != "ListenHttp2" && l.Binding.Scheme.Equals("https", StringComparison.OrdinalIgnoreCase));
        var certificate = root.Find("Gateway", "Certificate", "Path");
        if (https?.Node is { } listen && string.IsNullOrEmpty(certificate?.Value))
        {
            diagnostics.Error(listen, "https without a certificate", "set Gateway:Certificate:Path (and KeyPath for PEM files)");
        }

        var key = root.Find("Gateway", "Certificate", "KeyPath");
        var areThere = true;
        foreach (var file in new[] { certificate, key })
        {
            if (https is not null && file is { IsScalar: true, Value.Length: > 0 } && !context.FileExists(file.Value))
            {
                areThere = false;
                diagnostics.Error(file, "no such file", "name an existing file, relative to the configuration file");
            }
        }

        if (areThere && https is not null && certificate is { IsScalar: true, Value.Length: > 0 }
            && context.CertificateFailure(new CertificateOptions { Path = certificate.Value, KeyPath = key?.Value, Password = root.Find("Gateway", "Certificate", "Password")?.Value }) is { } failure)
        {
            diagnostics.Error(certificate, $"the certificate cannot be used: {failure}", "name a PFX file and its Password, or a PEM file and its KeyPath");
        }
    }

    private static bool PointsHere(Uri destination, Listener listener, ValidationContext context)
    {
        if (listener.Binding.Host.Equals(destination.Host, StringComparison.OrdinalIgnoreCase))
        {
            return true;
        }

        // A listener at every address, or a loopback name on both sides.
        var everywhere = listener.Binding.Host is "*" or "+" or "0.0.0.0" or "[::]";
        return (everywhere && (destination.IsLoopback || context.OwnHosts.Contains(destination.Host)))
            || (destination.IsLoopback && IsLoopback(listener.Binding.Host));
    }

    private static bool IsLoopback(string host) =>
        host.Equals("localhost", StringComparison.OrdinalIgnoreCase) || host == "[::1]" || host.StartsWith("127.", StringComparison.Ordinal);

    private sealed record Listener(string Name, SettingNode? Node, BindingAddress Binding);
}
