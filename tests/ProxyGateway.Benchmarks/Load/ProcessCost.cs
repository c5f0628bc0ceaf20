using System.Globalization;

namespace ProxyGateway.Benchmarks.Load;

/// <summary>What a process and its children have cost, from <c>/proc</c>: measured at the process, so other load on the machine does not count.</summary>
internal static class ProcessCost
{
    private const int ClockTick = 10; // Milliseconds; USER_HZ is 100 on every Linux .NET runs on.

    /// <summary>User and system time of the process and its live descendants.</summary>
    public static TimeSpan Cpu(int pid) => Family(pid).Aggregate(TimeSpan.Zero, static (sum, p) => sum + CpuOfOne(p));

    /// <summary>CPU time that all processes of the machine have used.</summary>
    public static TimeSpan MachineCpu()
    {
        // user nice system idle iowait irq softirq … (proc(5)); what is neither idle nor waiting is work.
        var fields = Read("/proc/stat").Split('\n')[0].Split(' ', StringSplitOptions.RemoveEmptyEntries);
        var ticks = 0L;
        for (var i = 1; i < Math.Min(fields.Length, 9); i++)
        {
            ticks += i is 4 or 5 ? 0 : long.Parse(fields[i], CultureInfo.InvariantCulture);
        }

        return TimeSpan.FromMilliseconds(ClockTick * ticks);
    }

    /// <summary>Resident memory in bytes, that of live descendants included.</summary>
    public static long ResidentBytes(int pid) => Family(pid).Sum(static p => ResidentOfOne(p));

    private static IEnumerable<int> Family(int pid)
    {
        yield return pid;
        var children = Read($"/proc/{pid}/task/{pid}/children").Split(' ', StringSplitOptions.RemoveEmptyEntries);
        foreach (var child in children)
        {
            foreach (var member in Family(int.Parse(child, CultureInfo.InvariantCulture)))
            {
                yield return member;
            }
        }
    }

    private static TimeSpan CpuOfOne(int pid)
    {
        // The second field is the name in parentheses and may hold spaces (proc(5)).
        var stat = Read($"/proc/{pid}/stat");
        var fields = stat[(stat.LastIndexOf(')') + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return fields.Length < 13
            ? TimeSpan.Zero
            : TimeSpan.FromMilliseconds(ClockTick * (long.Parse(fields[11], CultureInfo.InvariantCulture) + long.Parse(fields[12], CultureInfo.InvariantCulture)));
    }

    private static long ResidentOfOne(int pid)
    {
        foreach (var line in Read($"/proc/{pid}/status").Split('\n'))
        {
            if (line.StartsWith("VmRSS:", StringComparison.Ordinal))
            {
                return 1024 * long.Parse(line.AsSpan(6, line.IndexOf("kB", StringComparison.Ordinal) - 6).Trim(), CultureInfo.InvariantCulture);
            }
        }

        return 0;
    }

    private static string Read(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (IOException)
        {
            return ""; // It ended meanwhile.
        }
    }
}
