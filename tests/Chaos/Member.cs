using System.Security.Cryptography;
using FedChain.EndToEnd.Tests;
using FedChain.Node.Homes;
using FedChain.Node.Peer;
using FedChain.Protocol;

namespace FedChain.Chaos;

/// <summary>One member over all its lives.</summary>
internal sealed class Member(HomeFolder home, string passphraseFile, string log, int number) : IAsyncDisposable
{
    private readonly Lock _gate = new();
    private readonly Dictionary<ulong, int> _interrupted = [];
    private MemberProcess? _process;
    private (ulong Round, int Step) _training;

    public int Number => number;

    public HomeFolder Home => home;

    /// <summary>Manifests of updates that lay in the home when it was killed, or in the end, and when they were written.</summary>
    public Dictionary<Hash256, (byte[] Manifest, DateTimeOffset At)> Written { get; } = [];

    public Lives Lives { get; } = new();

    /// <summary>The most steps of training that a kill cost.</summary>
    public int StepsLost { get; private set; }

    /// <summary>What it said if it ended without being killed.</summary>
    public string? Ended => _process is { IsRunning: false } ended ? $"member {number}: {ended.Errors}" : null;

    public bool Holds(Hash256 adapter) => File.Exists(home.AdapterFile(adapter));

    public void Start() => _process = MemberProcess.Start(Path.Combine(AppContext.BaseDirectory, OperatingSystem.IsWindows() ? "fedchain.exe" : "fedchain"), home.Path, passphraseFile, Take);

    /// <summary>Kills it, and keeps what it was doing.</summary>
    public async Task KillAsync()
    {
        var process = _process!;
        process.Kill();
        await process.EndAsync(CancellationToken.None);
        lock (_gate)
        {
            Lives.End(TimeProvider.System.GetUtcNow());
            if (_training.Step > 0)
            {
                _interrupted[_training.Round] = _training.Step;
                _training = default;
            }
        }

        _process = null;
        await process.DisposeAsync();
        await NoteWrittenAsync();
    }

    public async Task NoteWrittenAsync()
    {
        foreach (var file in Directory.EnumerateFiles(home.RoundsPath, "update.manifest", SearchOption.AllDirectories))
        {
            var bytes = await File.ReadAllBytesAsync(file);
            Written[new Hash256(SHA256.HashData(bytes))] = (bytes, new DateTimeOffset(File.GetLastWriteTimeUtc(file)));
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is { } process)
        {
            _process = null;
            await process.DisposeAsync();
            lock (_gate)
            {
                Lives.End(TimeProvider.System.GetUtcNow());
            }
        }
    }

    private void Take(PeerEvent e)
    {
        lock (_gate)
        {
            File.AppendAllText(log, e.ToJson() + "\n");
            switch (e)
            {
                case PeerEvent.Ready:
                    Lives.Begin(e.At);
                    break;
                case PeerEvent.Training step:
                    if (_interrupted.Remove(step.Round, out var reached))
                    {
                        StepsLost = Math.Max(StepsLost, reached - step.Step + 1);
                    }

                    _training = (step.Round, step.Step);
                    break;
                case PeerEvent.Submitted or PeerEvent.RoundEnded:
                    _training = default;
                    break;
            }
        }
    }
}
