using System.Globalization;

// The runtime looks for this name, in no namespace, in the assembly that DOTNET_STARTUP_HOOKS names.
#pragma warning disable CA1050

/// <summary>
/// Runs inside a gateway process that is watched from outside and writes what only its own runtime knows to the file that
/// <c>PROXYGATEWAY_SAMPLES</c> names. The gateway's own code is untouched by it.
/// </summary>
/// <remarks>
/// A line is <c>heap threads timers</c>: bytes of the managed heap after a full collection with finalizers, threads of the pool,
/// and active timers. A line that begins with <c>!</c> is an exception that nobody awaited; they come to light when they are collected.
/// </remarks>
internal static class StartupHook
{
    public static void Initialize()
    {
        if (Environment.GetEnvironmentVariable("PROXYGATEWAY_SAMPLES") is not { Length: > 0 } file)
        {
            return;
        }

        var interval = int.Parse(Environment.GetEnvironmentVariable("PROXYGATEWAY_SAMPLE_MILLISECONDS") ?? "60000", CultureInfo.InvariantCulture);
        TaskScheduler.UnobservedTaskException += (_, e) => Write(file, "! " + e.Exception.ToString().ReplaceLineEndings(" | "));
        // A thread of its own: the pool is among what is watched.
        new Thread(() => Watch(file, interval)) { IsBackground = true, Name = "samples" }.Start();
    }

    private static void Watch(string file, int interval)
    {
        while (true)
        {
            Thread.Sleep(interval);
            GC.Collect();
            GC.WaitForPendingFinalizers();
            GC.Collect();
            Write(file, string.Create(CultureInfo.InvariantCulture, $"{GC.GetTotalMemory(false)} {ThreadPool.ThreadCount} {Timer.ActiveCount}"));
        }
    }

    private static void Write(string file, string line)
    {
        lock (typeof(StartupHook))
        {
            File.AppendAllText(file, line + "\n");
        }
    }
}
