using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;

namespace FedChain.Bench;

/// <summary>A Python program that holds a model and does one command at a time, so that it and ours can be measured in turn. Null where it can't run here.</summary>
internal sealed class PythonPeer : IDisposable
{
    private readonly Process _process;

    private PythonPeer(Process process, string name) => (_process, Name) = (process, name);

    /// <summary>What it says it is.</summary>
    public string Name { get; }

    /// <param name="script">A file of bench/peers, which are copied beside the program.</param>
    public static PythonPeer? Start(string script, params string[] arguments)
    {
        var python = Environment.GetEnvironmentVariable("FEDCHAIN_PYTHON") is { Length: > 0 } chosen ? chosen : "/usr/bin/python3";
        try
        {
            var start = new ProcessStartInfo(python, [Path.Combine(AppContext.BaseDirectory, "peers", script), .. arguments]) { RedirectStandardInput = true, RedirectStandardOutput = true, UseShellExecute = false };
            start.Environment.Remove("OMP_WAIT_POLICY");
            var process = Process.Start(start)!;
            if (process.StandardOutput.ReadLine() is { } ready && ready.StartsWith("ready ", StringComparison.Ordinal))
            {
                return new PythonPeer(process, ready["ready ".Length..]);
            }

            process.WaitForExit();
            Console.WriteLine($"  {script} doesn't run with {python} (exit code {process.ExitCode}), so it is no peer below.");
        }
        catch (Win32Exception e)
        {
            Console.WriteLine($"  No peer: {python} doesn't start ({e.Message}). Install Python with PyTorch (Debian: python3-torch libopenblas0), or set FEDCHAIN_PYTHON.");
        }

        return null;
    }

    /// <summary>Sends a command and returns the numbers of its answer: the seconds first.</summary>
    public double[] Do(string command)
    {
        _process.StandardInput.WriteLine(command);
        var answer = _process.StandardOutput.ReadLine() ?? throw new InvalidOperationException($"{Name} ended in the middle of '{command}'.");
        return [.. answer.Split(' ').Select(v => double.Parse(v, CultureInfo.InvariantCulture))];
    }

    public void Dispose()
    {
        _process.StandardInput.Close(); // ends its loop
        _process.WaitForExit();
        _process.Dispose();
    }
}
