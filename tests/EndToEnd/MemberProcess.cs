using System.Diagnostics;
using System.Runtime.InteropServices;
using FedChain.Network;
using FedChain.Node.Homes;
using FedChain.Node.Peer;

namespace FedChain.EndToEnd.Tests;

/// <summary>A member's <c>fedchain node</c> as a process of its own, which can be killed, and whose events and last words are kept.</summary>
internal sealed class MemberProcess : IAsyncDisposable
{
    private readonly Lock _gate = new();
    private readonly List<PeerEvent> _events = [];
    private readonly List<string> _errors = [];
    private readonly Process _process;
    private readonly Task _reading;

    private MemberProcess(Process process, Action<PeerEvent> onEvent)
    {
        _process = process;
        _reading = Task.WhenAll(
            ReadAsync(process.StandardOutput, line =>
            {
                if (PeerEvent.FromJson(line) is { } e)
                {
                    lock (_gate)
                    {
                        _events.Add(e);
                    }

                    onEvent(e);
                }
            }),
            ReadAsync(process.StandardError, line =>
            {
                lock (_gate)
                {
                    _errors.Add(line);
                }
            }));
    }

    public IReadOnlyList<PeerEvent> Events
    {
        get
        {
            lock (_gate)
            {
                return [.. _events];
            }
        }
    }

    public string Errors
    {
        get
        {
            lock (_gate)
            {
                return string.Join('\n', _errors);
            }
        }
    }

    public bool IsRunning => !_process.HasExited;

    public int Id => _process.Id;

    /// <summary>The point at which it was told to die, and did; null if it ended otherwise. To be asked after its end.</summary>
    public string? CrashedAt
    {
        get
        {
            lock (_gate)
            {
                return _errors.LastOrDefault() is { } last && last.StartsWith(Crash.LastWords, StringComparison.Ordinal) ? last[Crash.LastWords.Length..] : null;
            }
        }
    }

    /// <param name="program">The <c>fedchain</c> executable.</param>
    /// <param name="crashAt">The crash points at which it dies, whichever comes first; null or empty for none.</param>
    public static MemberProcess Start(
        string program, string home, string passphraseFile, Action<PeerEvent>? onEvent = null, IEnumerable<string>? crashAt = null, IEnumerable<string>? arguments = null,
        IEnumerable<(string Name, string Value)>? variables = null)
    {
        var start = new ProcessStartInfo(program, ["node", "--home", home, "--passphrase-file", passphraseFile, "--json", "--with-parent", .. arguments ?? []])
        {
            UseShellExecute = false,
            RedirectStandardInput = true, // its end tells the child that this process is gone
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment.Remove(Passphrase.Variable);
        start.Environment[Crash.Variable] = string.Join(',', crashAt ?? []);
        start.Environment["DOTNET_TieredPGO"] = "0"; // it lives for seconds
        foreach (var (name, value) in variables ?? [])
        {
            start.Environment[name] = value;
        }

        return new MemberProcess(Process.Start(start)!, onEvent ?? (_ => { }));
    }

    /// <summary>SIGKILL, or what Windows has in its place.</summary>
    public void Kill() => _process.Kill();

    /// <summary>Asks it to stop, as a service manager does.</summary>
    public void Terminate()
    {
        if (kill(_process.Id, 15) != 0)
        {
            throw new InvalidOperationException($"Process {_process.Id} could not be signalled.");
        }
    }

    /// <summary>Waits for its end, and for what it said until then.</summary>
    /// <returns>The exit code.</returns>
    public async Task<int> EndAsync(CancellationToken cancellation)
    {
        await _process.WaitForExitAsync(cancellation);
        await _reading;
        return _process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        _process.Kill(entireProcessTree: true);
        await EndAsync(CancellationToken.None);
        _process.Dispose();
    }

    private static async Task ReadAsync(StreamReader from, Action<string> take)
    {
        while (await from.ReadLineAsync() is { } line)
        {
            take(line);
        }
    }

    [DllImport("libc", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int kill(int process, int signal);
}
