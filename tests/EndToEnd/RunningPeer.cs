using FedChain.Node.Homes;
using FedChain.Node.Peer;

namespace FedChain.EndToEnd.Tests;

/// <summary>A peer in this process that runs until it is stopped, and whose events can be waited for.</summary>
internal sealed class RunningPeer : IAsyncDisposable
{
    /// <summary>Far beyond what a round takes on a busy machine; a test that waits in vain ends by it.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(8);

    private readonly Lock _gate = new();
    private readonly List<PeerEvent> _events = [];
    private readonly CancellationTokenSource _stop;
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private PeerHost? _host;
    private bool _isStopped;
    private Task _run = Task.CompletedTask;

    private RunningPeer(CancellationToken cancellation)
    {
        _stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        _stop.CancelAfter(Patience);
    }

    /// <summary>Where its content is served.</summary>
    public Uri Endpoint => _host!.Endpoint;

    public bool IsRunning => !_run.IsCompleted;

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

    public static async Task<RunningPeer> StartAsync(
        HomeFolder home, string passphrase, ILocalTrainer trainer, CancellationToken cancellation, Deceit? deceit = null, TimeProvider? time = null)
    {
        var peer = new RunningPeer(cancellation);
        peer._host = await PeerHost.StartAsync(home, passphrase, rpc: null, (_, _) => Task.FromResult(trainer), peer.Take, time ?? TimeProvider.System, deceit, cancellation);
        peer._run = Task.Run(() => peer._host.RunAsync((_, _) => false, peer._stop.Token), CancellationToken.None);
        return peer;
    }

    /// <summary>Waits for an event of a kind; the peer's own failure ends the wait.</summary>
    public async Task<T> SeenAsync<T>(Func<T, bool>? which = null)
        where T : PeerEvent
    {
        while (true)
        {
            Task changed;
            lock (_gate)
            {
                if (_events.OfType<T>().FirstOrDefault(which ?? (_ => true)) is { } found)
                {
                    return found;
                }

                changed = _changed.Task;
            }

            if (await Task.WhenAny(changed, _run) == _run)
            {
                await (_run.IsCanceled ? Task.CompletedTask : _run);
                Assert.Fail($"The peer stopped before {typeof(T).Name}:\n{string.Join('\n', Events)}");
            }
        }
    }

    /// <summary>Stops it as a crash would: nothing is finished first.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_isStopped)
        {
            return;
        }

        _isStopped = true;
        await _stop.CancelAsync();
        try
        {
            await _run;
        }
        catch (OperationCanceledException)
        {
            // asked for
        }

        await _host!.DisposeAsync();
        _stop.Dispose();
    }

    private void Take(PeerEvent e)
    {
        lock (_gate)
        {
            _events.Add(e);
            var changed = _changed;
            _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
            changed.SetResult();
        }
    }
}
