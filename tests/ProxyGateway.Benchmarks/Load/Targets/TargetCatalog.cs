using System.Text.Json.Nodes;

namespace ProxyGateway.Benchmarks.Load.Targets;

/// <summary>The proxies this bench knows how to start.</summary>
internal sealed class TargetCatalog(int upstreamPort, int http2UpstreamPort, string directory, LoadOptions options)
{
    private static readonly Dictionary<string, string> NoSpin = new() { ["DOTNET_ThreadPool_UnfairSemaphoreSpinLimit"] = "0" };

    /// <summary>Null where it is not known or not installed; the reason is printed.</summary>
    public Target? Find(string name)
    {
        Func<int, ChildProcess>? start = name switch
        {
            // As YARP's own template runs it: spinning, no inlining.
            "yarp" => port => Yarp(port, "plain", null),
            // The gateway's host settings.
            "yarp-tuned" => port => Yarp(port, "plain", NoSpin),
            "yarp-inline" => port => Yarp(port, BareYarp.Inline, NoSpin),
            "yarp-http2" => port => Yarp(port, BareYarp.Http2, NoSpin, http2UpstreamPort),
            "gateway" => port => Gateway(port),
            "gateway-http2" => port => Gateway(port, http2: true),
            "gateway-before" => options.BeforePath is { } before ? port => Gateway(port, path: before) : Skip(name, "--before names no earlier build"),
            "gateway-inline" => port => Gateway(port, inline: true),
            // Recovers as often as it is asked to: no circuit opens and no budget ends.
            "gateway-patient" => port => Gateway(port, patient: true),
            "nginx" => Installed(name, "/usr/sbin/nginx", Nginx),
            "haproxy" => Installed(name, "/usr/sbin/haproxy", HAProxy),
            "portkey" => Portkey(),
            _ => Skip(name, "unknown; one of yarp, yarp-tuned, yarp-inline, yarp-http2, gateway, gateway-http2, gateway-inline, gateway-before, nginx, haproxy, portkey"),
        };
        return start is null ? null : new Target(name, start, name == "portkey" ? PortkeyHeaders : null);
    }

    /// <summary>Whether a proxy asks the upstream over HTTP/2.</summary>
    public static bool IsHttp2(string name) => name.EndsWith("-http2", StringComparison.Ordinal);

    private static Func<int, ChildProcess>? Skip(string name, string why)
    {
        Console.Error.WriteLine($"{name}: skipped: {why}");
        return null;
    }

    private static Func<int, ChildProcess>? Installed(string name, string file, Func<int, ChildProcess> start) =>
        File.Exists(file) ? start : Skip(name, $"{file} is not there (Debian package `{name}`)");

    private ChildProcess Yarp(int port, string tuning, IReadOnlyDictionary<string, string>? environment, int? upstream = null) =>
        ChildProcess.StartSelf(["yarp", $"{port}", $"http://127.0.0.1:{upstream ?? upstreamPort}", tuning], environment);

    private ChildProcess Gateway(int port, bool inline = false, bool patient = false, bool http2 = false, string? path = null)
    {
        var file = Path.Combine(directory, $"gateway-{port}.json");
        var configuration = new JsonObject
        {
            ["Gateway"] = new JsonObject
            {
                ["Listen"] = $"http://127.0.0.1:{port}",
                ["ManagementListen"] = "http://127.0.0.1:0",
                ["InlineScheduling"] = inline,
            },
            ["ReverseProxy"] = new JsonObject
            {
                ["Routes"] = new JsonObject
                {
                    ["chat"] = new JsonObject
                    {
                        ["ClusterId"] = "agent",
                        ["Match"] = new JsonObject { ["Path"] = "/v1/chat/completions", ["Methods"] = new JsonArray("POST") },
                        ["StreamingFallback"] = new JsonObject { ["Format"] = "openai-chat" },
                    },
                },
                ["Clusters"] = new JsonObject
                {
                    ["agent"] = new JsonObject
                    {
                        ["Destinations"] = new JsonObject { ["a"] = new JsonObject { ["Address"] = $"http://127.0.0.1:{(http2 ? http2UpstreamPort : upstreamPort)}" } },
                        ["HttpRequest"] = http2 ? new JsonObject { ["Version"] = "2", ["VersionPolicy"] = "RequestVersionExact" } : null,
                        ["Fallback"] = new JsonArray(new JsonObject { ["Cluster"] = "other" }),
                        ["CircuitBreaker"] = new JsonObject { ["Enabled"] = !patient },
                        ["Retry"] = new JsonObject { ["Budget"] = patient ? 1.0 : 0.2 },
                    },
                    ["other"] = new JsonObject
                    {
                        ["Destinations"] = new JsonObject { ["a"] = new JsonObject { ["Address"] = $"http://127.0.0.1:{upstreamPort}" } },
                    },
                },
            },
        };
        if (http2)
        {
            // The connections to the upstream are shared then: the limit on open files is nearly all for clients.
            configuration["Gateway"]!["MaxConnections"] = 18_000;
        }

        File.WriteAllText(file, configuration.ToJsonString());
        path ??= options.GatewayPath ?? Path.Combine(AppContext.BaseDirectory, "proxygateway.dll");
        return path.EndsWith(".dll", StringComparison.Ordinal)
            ? ChildProcess.Start("dotnet", [path, "run", "--config", file])
            : ChildProcess.Start(path, ["run", "--config", file]);
    }

    private ChildProcess Nginx(int port)
    {
        var prefix = Directory.CreateDirectory(Path.Combine(directory, $"nginx-{port}")).FullName;
        var file = Path.Combine(prefix, "nginx.conf");
        File.WriteAllText(file, $$"""
            daemon off;
            worker_processes auto;
            worker_rlimit_nofile 20000;
            pid {{prefix}}/pid;
            error_log stderr error;
            events { worker_connections 19000; }
            http {
              access_log off;
              client_body_temp_path {{prefix}}/body;
              proxy_temp_path {{prefix}}/proxy;
              fastcgi_temp_path {{prefix}}/fastcgi;
              uwsgi_temp_path {{prefix}}/uwsgi;
              scgi_temp_path {{prefix}}/scgi;
              keepalive_requests 10000000;
              upstream agent { server 127.0.0.1:{{upstreamPort}}; keepalive 1024; keepalive_requests 10000000; }
              server {
                listen 127.0.0.1:{{port}} backlog=4096;
                location / {
                  proxy_pass http://agent;
                  proxy_http_version 1.1;
                  proxy_set_header Connection "";
                  proxy_buffering off;
                  proxy_read_timeout 300s;
                }
              }
            }
            """);
        return ChildProcess.Start("/usr/sbin/nginx", ["-p", prefix, "-c", file]);
    }

    private ChildProcess HAProxy(int port)
    {
        var file = Path.Combine(directory, $"haproxy-{port}.cfg");
        File.WriteAllText(file, $"""
            global
              maxconn 9500
              nbthread {Environment.ProcessorCount}
            defaults
              mode http
              option http-keep-alive
              option http-no-delay
              http-reuse always
              timeout connect 5s
              timeout client 300s
              timeout server 300s
            frontend chat
              bind 127.0.0.1:{port} backlog 4096
              default_backend agent
            backend agent
              server a 127.0.0.1:{upstreamPort}

            """);
        return ChildProcess.Start("/usr/sbin/haproxy", ["-db", "-q", "-f", file]);
    }

    /// <summary>It is told with each request where to go, and appends the API's own path without a query.</summary>
    private string PortkeyHeaders(string behaviour) =>
        $"x-portkey-provider: openai\r\nx-portkey-custom-host: http://127.0.0.1:{upstreamPort}/as/{behaviour}/v1\r\n";

    private Func<int, ChildProcess>? Portkey()
    {
        var script = options.PortkeyDirectory is { } home ? Path.Combine(home, "node_modules/@portkey-ai/gateway/build/start-server.js") : null;
        if (script is null || !File.Exists(script))
        {
            return Skip("portkey", "--portkey names no directory with node_modules/@portkey-ai/gateway");
        }

        return port => ChildProcess.Start("node", [script, "--headless", $"--port={port}"], new Dictionary<string, string> { ["NODE_ENV"] = "production" });
    }
}
