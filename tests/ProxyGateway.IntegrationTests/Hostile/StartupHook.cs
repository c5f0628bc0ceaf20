using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Tracing;
using System.Globalization;

/// <summary>
/// Runs inside the gateway under test (DOTNET_STARTUP_HOOKS names this assembly; the runtime wants this name and no namespace) and writes
/// a line for each wait of a thread that serves requests: a thread of the pool or of the sockets. Needs the runtime's own library only.
/// </summary>
internal static class StartupHook
{
    public const string FileVariable = "PROXYGATEWAY_TEST_WAITS";

    /// <summary>How the deliberate wait shows that begins every record, so that an empty record means something.</summary>
    public const string Deliberate = "DeliberateWait";

    private static WaitListener? s_listener;
    private static Timer? s_deliberate;
    private static long s_deliberateThread;
    private static DateTime s_deliberateSince;

    public static void Initialize()
    {
        if (Environment.GetEnvironmentVariable(FileVariable) is { } file)
        {
            s_listener = new WaitListener(file);
            // Again and again until it shows: the runtime takes a moment to begin telling.
            s_deliberate = new Timer(static _ => DeliberateWait(), null, TimeSpan.FromSeconds(0.5), Timeout.InfiniteTimeSpan);
        }
    }

    private static void DeliberateWait()
    {
        // "self/task/ID"
        s_deliberateThread = long.Parse(Path.GetFileName(new FileInfo("/proc/thread-self").LinkTarget!), CultureInfo.InvariantCulture);
        s_deliberateSince = DateTime.UtcNow;
        Task.Delay(50).Wait();
        if (!s_listener!.HasSeenDeliberate)
        {
            s_deliberate!.Change(TimeSpan.FromSeconds(2), Timeout.InfiniteTimeSpan);
        }
    }

    private sealed class WaitListener(string file) : EventListener
    {
        private const EventKeywords Waits = (EventKeywords)0x40000000000;
        private const EventKeywords Tasks = (EventKeywords)0x2;
        private const int WaitStart = 301;
        private const int WaitStop = 302;
        private const int TaskWaitBegin = 10;
        private const int Synchronous = 1;
        private const byte ByMonitorWait = 1;

        private readonly ConcurrentDictionary<long, (DateTime At, byte Source)> _waiting = new();
        private readonly Lock _gate = new();

        private volatile bool _hasSeenTask;
        private volatile bool _hasSeenMonitor;

        /// <summary>Both halves: what the task says and what the runtime says. One alone may be the first event that came through, or a lock met on the way.</summary>
        public bool HasSeenDeliberate => _hasSeenTask && _hasSeenMonitor;

        protected override void OnEventSourceCreated(EventSource eventSource)
        {
            if (eventSource.Name == "Microsoft-Windows-DotNETRuntime")
            {
                EnableEvents(eventSource, EventLevel.Verbose, Waits);
            }
            else if (eventSource.Name == "System.Threading.Tasks.TplEventSource")
            {
                EnableEvents(eventSource, EventLevel.Verbose, Tasks);
            }
        }

        protected override void OnEventWritten(EventWrittenEventArgs eventData)
        {
            switch (eventData.EventId)
            {
                // Comes on the thread that is about to wait, so there is a stack to show.
                case TaskWaitBegin when eventData.EventName == "TaskWaitBegin" && Thread.CurrentThread.IsThreadPoolThread && Convert.ToInt32(eventData.Payload![3], CultureInfo.InvariantCulture) == Synchronous:
                    var stack = new StackTrace(2).ToString().ReplaceLineEndings(" <");
                    Write($"task {stack}");
                    _hasSeenTask |= stack.Contains(Deliberate, StringComparison.Ordinal);
                    break;
                case WaitStart:
                    _waiting[eventData.OSThreadId] = (eventData.TimeStamp, Convert.ToByte(eventData.Payload![0], CultureInfo.InvariantCulture));
                    break;
                case WaitStop when eventData.OSThreadId == s_deliberateThread && _waiting.TryGetValue(s_deliberateThread, out var own)
                    && own.At >= s_deliberateSince && own.At < s_deliberateSince + TimeSpan.FromSeconds(1):
                    _waiting.TryRemove(s_deliberateThread, out _);
                    var name = ThreadName(eventData.OSThreadId);
                    Write($"{Deliberate} {(own.Source == ByMonitorWait ? "monitor" : "lock")} {name}");
                    _hasSeenMonitor |= own.Source == ByMonitorWait && name == ".NET TP Worker";
                    break;
                case WaitStop when _waiting.TryRemove(eventData.OSThreadId, out var wait) && ThreadName(eventData.OSThreadId) is ".NET TP Worker" or ".NET Sockets":
                    Write(string.Create(
                        CultureInfo.InvariantCulture,
                        $"{(wait.Source == ByMonitorWait ? "monitor" : "lock")} {(eventData.TimeStamp - wait.At).TotalMilliseconds:0.000} {ThreadName(eventData.OSThreadId)}"));
                    break;
            }
        }

        private static string ThreadName(long id)
        {
            try
            {
                return File.ReadAllText($"/proc/self/task/{id}/comm").Trim();
            }
            catch (IOException)
            {
                return "ended";
            }
        }

        private void Write(string line)
        {
            lock (_gate)
            {
                File.AppendAllText(file, line + "\n");
            }
        }
    }
}
