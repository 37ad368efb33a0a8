using System.Diagnostics;
using System.Threading.Channels;
using FedChain.Node.Homes;
using FedChain.Node.Peer;

namespace FedChain.Node.Demo;

/// <summary>A <c>fedchain node</c> as a process of its own, whose JSON lines come back as events.</summary>
internal sealed class PeerProcess : IAsyncDisposable
{
    private readonly Process _process;
    private readonly Task _reading;

    private PeerProcess(Process process, Task reading) => (_process, _reading) = (process, reading);

    public static PeerProcess Start(string home, string passphraseFile, string logFile, ChannelWriter<PeerEvent> events)
    {
        var start = Executable();
        foreach (var argument in new[] { "node", "--home", home, "--passphrase-file", passphraseFile, "--json", "--with-parent" })
        {
            start.ArgumentList.Add(argument);
        }

        start.RedirectStandardInput = true; // its end tells the child that this process is gone
        start.RedirectStandardOutput = true;
        start.RedirectStandardError = true;
        start.Environment.Remove(Passphrase.Variable);
        var process = Process.Start(start) ?? throw new InvalidOperationException($"{start.FileName} did not start.");
        return new PeerProcess(process, Task.WhenAll(ReadEventsAsync(process, logFile, events), LogErrorsAsync(process, logFile + ".err"), WatchAsync()));

        async Task WatchAsync()
        {
            await process.WaitForExitAsync();
            events.TryComplete(new UserErrorException($"The peer of {home} stopped before the rounds were over, with exit code {process.ExitCode}. Its log is {logFile}, its errors are in {logFile}.err."));
        }
    }

    public async ValueTask DisposeAsync()
    {
        _process.StandardInput.Close();
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(10));
        try
        {
            await _process.WaitForExitAsync(patience.Token);
        }
        catch (OperationCanceledException)
        {
            _process.Kill(entireProcessTree: true);
        }

        await _reading;
        _process.Dispose();
    }

    /// <summary>This program, whether it runs by itself or through <c>dotnet fedchain.dll</c>.</summary>
    private static ProcessStartInfo Executable()
    {
        var own = Path.Combine(AppContext.BaseDirectory, OperatingSystem.IsWindows() ? "fedchain.exe" : "fedchain");
        if (File.Exists(own))
        {
            return new ProcessStartInfo(own);
        }

        var start = new ProcessStartInfo("dotnet");
        start.ArgumentList.Add(Path.Combine(AppContext.BaseDirectory, "fedchain.dll"));
        return start;
    }

    private static async Task ReadEventsAsync(Process process, string logFile, ChannelWriter<PeerEvent> events)
    {
        await using var log = File.AppendText(logFile);
        while (await process.StandardOutput.ReadLineAsync() is { } line)
        {
            await log.WriteLineAsync(line);
            if (PeerEvent.FromJson(line) is { } e)
            {
                events.TryWrite(e);
            }
        }
    }

    private static async Task LogErrorsAsync(Process process, string logFile)
    {
        await using var log = File.AppendText(logFile);
        while (await process.StandardError.ReadLineAsync() is { } line)
        {
            await log.WriteLineAsync(line);
            await log.FlushAsync();
        }
    }
}
