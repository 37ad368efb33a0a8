using System.Runtime.InteropServices;
using System.Security.Cryptography;
using TorchSharp;

namespace FedChain.Learning.Native;

/// <summary>
/// Loads libtorch and TorchSharp's binding to it, before the first tensor. TorchSharp's own search isn't enough in two cases:
/// a system whose libstdc++ lacks a version that the binding merely mentions (Debian 12), and an existing libtorch named by
/// <see cref="FolderVariable"/>, beside which a second copy from the package must never enter the process.
/// </summary>
public static partial class NativeTorch
{
    /// <summary>Environment variable naming a folder with libtorch 2.10.x or a Python PyTorch's <c>torch/lib</c>, used in place of the package's.</summary>
    public const string FolderVariable = "FEDCHAIN_LIBTORCH";

    /// <summary>
    /// The version that TorchSharp 0.107's binding asks of libstdc++ (GCC 13) for one symbol, which it neither relocates nor calls.
    /// </summary>
    internal const string UncalledVersion = "GLIBCXX_3.4.32";

    private const string Binding = "LibTorchSharp";
    private static readonly string[] Required = ["c10", "torch_cpu", "torch"];
    private static readonly string[] LoadOrder = ["c10", "c10_cuda", "torch_cpu", "torch_cuda", "torch"]; // dependents last; not all builds have all
    private static readonly Lock Gate = new();
    private static bool _loaded;

    /// <summary>The binding in use: the package's file, or a copy of it with <see cref="UncalledVersion"/> marked weak.</summary>
    public static string? BindingFile { get; private set; }

    /// <summary>The folder that libtorch was loaded from.</summary>
    public static string? LibtorchFolder { get; private set; }

    /// <summary>Loads the native libraries; does nothing from the second time on.</summary>
    /// <exception cref="DllNotFoundException">They are missing or don't fit; the message says what was tried and what to do.</exception>
    public static void Load()
    {
        lock (Gate)
        {
            if (_loaded)
            {
                return;
            }

            var chosen = Environment.GetEnvironmentVariable(FolderVariable);
            LoadFrom(string.IsNullOrEmpty(chosen) ? null : Path.GetFullPath(chosen));
            _loaded = true;
        }
    }

    private static void LoadFrom(string? chosen)
    {
        var source = SearchFolders().Select(f => Path.Combine(f, FileName(Binding))).FirstOrDefault(File.Exists)
            ?? throw new DllNotFoundException($"{FileName(Binding)}, a part of the TorchSharp package, lies in none of: {string.Join(", ", SearchFolders())}. Build or publish again for this platform.");
        var searched = SearchFolders().FirstOrDefault(f => File.Exists(Path.Combine(f, FileName("torch_cpu"))));
        if (chosen is not null && searched is not null)
        {
            // TorchSharp's static constructor asks the runtime for torch_cpu by name; the runtime would load this one as a second copy and abort.
            throw new DllNotFoundException($"{FolderVariable} can't be used while {searched} also holds a libtorch (as builds with -p:Cuda=true do). Unset it, or build without.");
        }

        var own = Path.Combine(AppContext.BaseDirectory, "libtorch");
        var folder = chosen ?? searched ?? (Directory.Exists(own) ? own : null)
            ?? throw new DllNotFoundException($"libtorch lies in none of: {string.Join(", ", SearchFolders().Append(own))}. Set {FolderVariable} to a folder with libtorch 2.10 or to a Python PyTorch's torch/lib.");
        foreach (var name in Required.Where(name => !File.Exists(Path.Combine(folder, FileName(name)))))
        {
            throw new DllNotFoundException($"{folder} lacks {FileName(name)}. {FolderVariable} must name a folder with libtorch 2.10 or a Python PyTorch's torch/lib.");
        }

        SleepWhereThreadsWait();

        // Dependents are found by their SONAME once they are in the process, wherever the binding lies and whatever its RUNPATH says.
        foreach (var file in LoadOrder.Select(name => Path.Combine(folder, FileName(name))).Where(File.Exists))
        {
            LoadFile(file, folder);
        }

        BindingFile = LoadBinding(source, folder, out var handle);
        LibtorchFolder = folder;
        NativeLibrary.SetDllImportResolver(typeof(torch).Assembly, (name, _, _) => name == Binding ? handle : IntPtr.Zero);
    }

    /// <summary>
    /// OpenMP's threads spin while they wait for each other. Where other processes want the same cores (members on one machine), the one that is
    /// waited for doesn't get to run, and two threads become ten times slower than one. An OMP_WAIT_POLICY that the user has set stays.
    /// </summary>
    private static void SleepWhereThreadsWait()
    {
        if (OperatingSystem.IsLinux())
        {
            // Not Environment.SetEnvironmentVariable: that one native code doesn't see. libgomp reads it once, when it is loaded.
            _ = SetNativeVariable("OMP_WAIT_POLICY", "PASSIVE", overwrite: 0);
        }
    }

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int SetNativeVariable(string name, string value, int overwrite);

    private static string LoadBinding(string source, string folder, out IntPtr handle)
    {
        try
        {
            handle = NativeLibrary.Load(source);
            return source;
        }
        catch (DllNotFoundException e) when (e.Message.Contains(UncalledVersion, StringComparison.Ordinal))
        {
            var copy = WeakCopy(source) ?? throw Unfit(source, folder, e);
            handle = LoadFile(copy, folder);
            return copy;
        }
        catch (DllNotFoundException e)
        {
            throw Unfit(source, folder, e);
        }
    }

    private static IntPtr LoadFile(string file, string folder)
    {
        try
        {
            return NativeLibrary.Load(file);
        }
        catch (Exception e) when (e is DllNotFoundException or BadImageFormatException)
        {
            throw Unfit(file, folder, e);
        }
    }

    /// <summary>
    /// A copy of the binding with <see cref="UncalledVersion"/> marked weak, in the user's cache and never in the package's folder.
    /// Null if the binding doesn't ask for that version. Processes may race: each writes a file of its own and renames it.
    /// </summary>
    internal static string? WeakCopy(string source)
    {
        var elf = File.ReadAllBytes(source);
        if (!ElfVersionNeeds.MarkWeak(elf, UncalledVersion))
        {
            return null;
        }

        var name = $"lib{Binding}.{Convert.ToHexStringLower(SHA256.HashData(elf))[..16]}.so";
        var folders = new[]
        {
            Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.DoNotVerify), "fedchain", "native"),
            Path.Combine(AppContext.BaseDirectory, "native-cache"),
        };
        var failures = new List<Exception>();
        foreach (var folder in folders.Where(Path.IsPathRooted))
        {
            try
            {
                return Place(elf, folder, name);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                failures.Add(e);
            }
        }

        throw new DllNotFoundException($"A copy of {source} that this system's libstdc++ can load could be written to none of: {string.Join(", ", folders)}. Make one of them writable.", new AggregateException(failures));
    }

    private static string Place(byte[] elf, string folder, string name)
    {
        Directory.CreateDirectory(folder);
        var file = Path.Combine(folder, name);
        if (!File.Exists(file) || !File.ReadAllBytes(file).AsSpan().SequenceEqual(elf))
        {
            var temporary = $"{file}.{Guid.NewGuid():N}";
            File.WriteAllBytes(temporary, elf);
            File.Move(temporary, file, overwrite: true);
        }

        return file;
    }

    private static DllNotFoundException Unfit(string file, string folder, Exception inner)
    {
        var found = Version(folder) is { } version ? $"libtorch {version}" : "a libtorch of unknown version";
        return new($"{file} could not be loaded with {found} in {folder}; this build needs 2.10.x. The system says: {inner.Message}", inner);
    }

    /// <summary>libtorch's own note beside lib/, or Python's torch/version.py.</summary>
    private static string? Version(string folder)
    {
        var parent = Path.GetDirectoryName(folder) ?? folder;
        if (File.Exists(Path.Combine(parent, "build-version")))
        {
            return File.ReadAllText(Path.Combine(parent, "build-version")).Trim();
        }

        var python = Path.Combine(parent, "version.py");
        return File.Exists(python)
            ? File.ReadLines(python).FirstOrDefault(line => line.StartsWith("__version__", StringComparison.Ordinal))?.Split('\'', '"').ElementAtOrDefault(1)
            : null;
    }

    private static IEnumerable<string> SearchFolders()
    {
        var probed = ((string?)AppContext.GetData("NATIVE_DLL_SEARCH_DIRECTORIES") ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries);
        return probed.Append(AppContext.BaseDirectory).Append(Path.Combine(AppContext.BaseDirectory, "runtimes", RuntimeInformation.RuntimeIdentifier, "native"))
            .Distinct(StringComparer.Ordinal);
    }

    private static string FileName(string name) =>
        OperatingSystem.IsWindows() ? $"{name}.dll" : OperatingSystem.IsMacOS() ? $"lib{name}.dylib" : $"lib{name}.so";
}
