using System.Globalization;
using System.Runtime.InteropServices;

namespace FedChain.Bench;

/// <summary>This process's resident memory, as Linux counts it.</summary>
internal static partial class MemoryUse
{
    /// <summary>Bytes now.</summary>
    public static long Resident => Read("VmRSS:");

    /// <summary>The most bytes since <see cref="ResetPeak"/>.</summary>
    public static long Peak => Read("VmHWM:");

    /// <summary>Gives freed memory back first, or what comes next would take it from there unseen.</summary>
    public static void ResetPeak()
    {
        GC.Collect();
        _ = Trim(0);
        File.WriteAllText("/proc/self/clear_refs", "5");
    }

    /// <summary>How many processes wanted to run in the last minute: what figures are worth.</summary>
    public static string Load => File.ReadAllText("/proc/loadavg").Split(' ')[0];

    private static long Read(string field) =>
        1024 * long.Parse(File.ReadLines("/proc/self/status").First(l => l.StartsWith(field, StringComparison.Ordinal)).Split(' ', '\t').First(p => p.Length > 0 && char.IsAsciiDigit(p[0])), CultureInfo.InvariantCulture);

    [LibraryImport("libc", EntryPoint = "malloc_trim")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Trim(nuint keep);
}
