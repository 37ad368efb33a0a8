using System.Diagnostics;

namespace FedChain.Protocol.Tests.Envelope;

/// <summary>Runs a program that the tests measure themselves against.</summary>
internal static class Tool
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    /// <exception cref="System.ComponentModel.Win32Exception">There is no such program on the PATH.</exception>
    public static (int ExitCode, byte[] Output, string Error) Run(string program, IEnumerable<string> arguments, string folder, byte[]? input = null)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            WorkingDirectory = folder,
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEndAsync();
        var feed = Task.Run(() =>
        {
            try
            {
                process.StandardInput.BaseStream.Write(input ?? []);
                process.StandardInput.Close();
            }
            catch (IOException)
            {
                // The program ended without reading all of its input, which its exit code tells about.
            }
        });
        using var output = new MemoryStream();
        var copied = process.StandardOutput.BaseStream.CopyToAsync(output);
        if (!process.WaitForExit(Patience))
        {
            process.Kill(entireProcessTree: true);
        }

        Task.WaitAll(error, feed, copied);
        return (process.ExitCode, output.ToArray(), error.Result);
    }
}
