using System.ComponentModel;
using System.Diagnostics;

namespace FedChain.Node.LocalChain;

/// <summary>Runs a program to its end, line by line.</summary>
internal static class ChildProcess
{
    /// <summary>Runs it; kills it, with its children, when cancelled.</summary>
    /// <returns>The exit code.</returns>
    /// <exception cref="Win32Exception">There is no such program.</exception>
    public static async Task<int> RunAsync(ProcessStartInfo start, Action<string> onLine, CancellationToken cancellationToken)
    {
        start.RedirectStandardInput = start.RedirectStandardOutput = start.RedirectStandardError = true;
        start.UseShellExecute = false;
        using var process = new Process { StartInfo = start };
        var gate = new Lock();
        void Take(object sender, DataReceivedEventArgs e)
        {
            if (e.Data is { } line)
            {
                lock (gate)
                {
                    onLine(line);
                }
            }
        }

        process.OutputDataReceived += Take;
        process.ErrorDataReceived += Take;
        process.Start();
        process.StandardInput.Close();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        try
        {
            await process.WaitForExitAsync(cancellationToken);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw;
        }

        return process.ExitCode;
    }
}
