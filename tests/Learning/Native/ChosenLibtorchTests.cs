using System.Diagnostics;
using FedChain.Learning.Native;

namespace FedChain.Tests.Learning.Native;

/// <summary>A process loads one libtorch for its whole life, so each case here is a process of its own: this test assembly, asked for one test.</summary>
public sealed class ChosenLibtorchTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("fedchain-libtorch-").FullName;

    [Fact]
    public void An_existing_libtorch_is_used_in_place_of_the_packages()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Hard links to the package's libtorch stand for another one.");
        NativeTorch.Load();
        foreach (var file in Directory.EnumerateFiles(NativeTorch.LibtorchFolder!).Where(f => !f.Contains("LibTorchSharp", StringComparison.Ordinal)))
        {
            File.Copy(file, Path.Combine(_folder, Path.GetFileName(file)));
        }

        var (exitCode, output) = RunTest(nameof(NativeTorchTests.TorchSharp_neither_searches_nor_copies_libtorch_by_itself), _folder);

        Assert.True(exitCode == 0, output);
    }

    [Fact]
    public void A_folder_without_libtorch_is_refused_with_what_to_do()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Names of files on Linux.");
        var (exitCode, output) = RunTest(nameof(NativeTorchTests.Tensors_can_be_computed_with), _folder);

        Assert.NotEqual(0, exitCode);
        Assert.Contains($"{_folder} lacks libc10.so. FEDCHAIN_LIBTORCH must name a folder with libtorch 2.10", output, StringComparison.Ordinal);
    }

    [Fact]
    public void A_libtorch_that_does_not_load_is_named_with_its_version()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Names of files on Linux.");
        var lib = Directory.CreateDirectory(Path.Combine(_folder, "lib")).FullName;
        File.WriteAllText(Path.Combine(_folder, "build-version"), "1.13.0\n");
        foreach (var name in new[] { "libc10.so", "libtorch_cpu.so", "libtorch.so" })
        {
            File.WriteAllText(Path.Combine(lib, name), "not a library");
        }

        var (exitCode, output) = RunTest(nameof(NativeTorchTests.Tensors_can_be_computed_with), lib);

        Assert.NotEqual(0, exitCode);
        Assert.Contains("could not be loaded with libtorch 1.13.0", output, StringComparison.Ordinal);
        Assert.Contains("this build needs 2.10.x", output, StringComparison.Ordinal);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static (int ExitCode, string Output) RunTest(string method, string libtorch)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!) { UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true };
        if (Path.GetFileNameWithoutExtension(start.FileName) == "dotnet")
        {
            start.ArgumentList.Add(typeof(ChosenLibtorchTests).Assembly.Location);
        }

        start.ArgumentList.Add("-method");
        start.ArgumentList.Add($"*.{method}");
        start.Environment[NativeTorch.FolderVariable] = libtorch;
        // Of the runner that started this process: its child reports to nobody.
        foreach (var inherited in start.Environment.Keys.Where(k => k.StartsWith("TESTINGPLATFORM", StringComparison.OrdinalIgnoreCase) || k.StartsWith("DOTNET_CLI_TEST", StringComparison.Ordinal)).ToList())
        {
            start.Environment.Remove(inherited);
        }

        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output + error.GetAwaiter().GetResult());
    }
}
