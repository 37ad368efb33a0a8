using System.Runtime.InteropServices;
using FedChain.Learning.Native;
using TorchSharp;

namespace FedChain.Tests.Learning.Native;

public sealed class NativeTorchTests
{
    private const string UncalledSymbol = "_ZSt21ios_base_library_initv";

    [Fact]
    public void Tensors_can_be_computed_with()
    {
        NativeTorch.Load();
        using var scope = torch.NewDisposeScope();

        Assert.Equal(10f, torch.tensor(new float[] { 1, 2, 3, 4 }).sum().item<float>());
    }

    [Fact]
    public void TorchSharp_neither_searches_nor_copies_libtorch_by_itself()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Reads /proc.");
        NativeTorch.Load();

        Assert.True(torch.TryInitializeDeviceType(DeviceType.CPU));
        Assert.False(Directory.Exists(Path.Combine(AppContext.BaseDirectory, "cpu")), "TorchSharp fell back to copying libtorch beside itself.");
        Assert.Equal(Path.Combine(NativeTorch.LibtorchFolder!, "libtorch_cpu.so"), Assert.Single(LoadedFiles("libtorch_cpu.so")));
        if (Environment.GetEnvironmentVariable(NativeTorch.FolderVariable) is { Length: > 0 } chosen)
        {
            Assert.Equal(chosen, NativeTorch.LibtorchFolder);
        }

        Assert.Single(LoadedFiles("LibTorchSharp"));
    }

    [Fact]
    public void The_version_made_weak_is_needed_for_one_symbol_that_is_never_called()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "An ELF matter.");
        var package = PackagedBinding();

        // Should this fail after an update of TorchSharp because the list is empty, remove the weak copy from NativeTorch.
        Assert.Equal([UncalledSymbol], ElfVersionNeeds.SymbolsOf(File.ReadAllBytes(package), NativeTorch.UncalledVersion));
    }

    [Fact]
    public void The_weak_copy_is_used_exactly_where_libstdcxx_lacks_the_version()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "An ELF matter.");
        NativeTorch.Load();
        var standardLibrary = LoadedFiles("libstdc++.so").First();
        var lacking = File.ReadAllBytes(standardLibrary).AsSpan().IndexOf("GLIBCXX_3.4.32\0"u8) < 0;

        Assert.Equal(!lacking, NativeTorch.BindingFile == PackagedBinding());
    }

    [Fact]
    public void The_weak_copy_differs_from_the_package_in_one_bit_and_leaves_the_package_alone()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "An ELF matter.");
        var before = File.ReadAllBytes(PackagedBinding());
        var copy = File.ReadAllBytes(NativeTorch.WeakCopy(PackagedBinding())!);

        var differing = Enumerable.Range(0, before.Length).Where(i => before[i] != copy[i]).ToList();
        var at = Assert.Single(differing);
        Assert.Equal(2, before[at] ^ copy[at]);
        Assert.Equal(before, File.ReadAllBytes(PackagedBinding()));
    }

    [Fact]
    public void A_damaged_library_is_refused()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "An ELF matter.");
        var elf = File.ReadAllBytes(PackagedBinding());

        Assert.Throws<InvalidDataException>(() => ElfVersionNeeds.MarkWeak(elf.AsSpan(0, 4096), NativeTorch.UncalledVersion));
        Assert.Throws<InvalidDataException>(() => ElfVersionNeeds.MarkWeak(new byte[128], NativeTorch.UncalledVersion));
        Assert.False(ElfVersionNeeds.MarkWeak(elf, "GLIBCXX_9.9.9"));
    }

    [Fact]
    public void Threads_that_wait_sleep_unless_the_user_says_otherwise()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "libgomp's.");
        var expected = Environment.GetEnvironmentVariable("OMP_WAIT_POLICY") ?? "PASSIVE";

        Assert.Equal(expected, Marshal.PtrToStringUTF8(NativeVariable("OMP_WAIT_POLICY")));
    }

    [DllImport("libc", EntryPoint = "getenv", CharSet = CharSet.Ansi, BestFitMapping = false, ThrowOnUnmappableChar = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern nint NativeVariable(string name);

    private static string PackagedBinding()
    {
        NativeTorch.Load();
        return ((string?)AppContext.GetData("NATIVE_DLL_SEARCH_DIRECTORIES") ?? "").Split(Path.PathSeparator).Append(AppContext.BaseDirectory)
            .Select(folder => Path.Combine(folder, "libLibTorchSharp.so")).First(File.Exists);
    }

    private static List<string> LoadedFiles(string part) =>
        [.. File.ReadLines("/proc/self/maps").Select(line => line[(line.LastIndexOf(' ') + 1)..]).Where(file => Path.GetFileName(file).Contains(part, StringComparison.Ordinal)).Distinct()];
}
