using System.Net;
using FedChain.Network;
using FedChain.Network.Chain;
using FedChain.Network.Content;
using FedChain.Node.Adapters;
using FedChain.Node.Chain;
using FedChain.Node.Homes;
using FedChain.Node.Seats;
using FedChain.Protocol.Content;
using FedChain.Protocol.Manifests;
using FedChain.Protocol.Rounds;

namespace FedChain.Node.Peer;

/// <summary>A whole peer: its home locked and unlocked, its content served, its loop running.</summary>
internal sealed class PeerHost : IAsyncDisposable
{
    private readonly List<IDisposable> _owned = [];
    private readonly List<PeerEvent> _rotated = [];
    private readonly IDisposable _lock;
    private ContentGateway? _gateway;
    private ChainSession? _session;
    private BlockAnnouncements? _blocks;
    private PeerLoop? _loop;
    private PeerContext? _context;

    private PeerHost(IDisposable homeLock, TimeProvider time) => (_lock, Pulse) = (homeLock, new Pulse(time));

    /// <summary>Whether it gets on.</summary>
    public Pulse Pulse { get; }

    /// <summary>Where this peer's content is served.</summary>
    public Uri Endpoint => _gateway!.BaseAddress;

    /// <param name="trainerOf">Makes the trainer, once the policy is known.</param>
    /// <param name="deceit">For tests of lying members; null for an honest one.</param>
    public static async Task<PeerHost> StartAsync(
        HomeFolder home,
        string passphrase,
        IReadOnlyList<string>? rpc,
        Func<Policy, CancellationToken, Task<ILocalTrainer>> trainerOf,
        Action<PeerEvent> report,
        TimeProvider time,
        Deceit? deceit,
        CancellationToken cancellationToken)
    {
        var host = new PeerHost(home.Lock(), time);
        try
        {
            await host.BuildAsync(home, passphrase, rpc, trainerOf, report, time, deceit, cancellationToken);
            return host;
        }
        catch
        {
            await host.DisposeAsync();
            throw;
        }
    }

    public async Task RunAsync(Func<FederationState, ulong, bool> until, CancellationToken cancellationToken)
    {
        _context!.Tell(new PeerEvent.Ready(Endpoint.ToString(), _session!.Reader.State.Current?.Id.Value ?? 0));
        _context.Tell(new PeerEvent.NodeInUse(_session.Client.Endpoint.Authority, null, null));
        _session.Client.ProviderChanged = change => _context.Tell(new PeerEvent.NodeInUse(change.Now, change.Before, change.Reason));
        await TakeStockAsync(cancellationToken);
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var state = _session.Reader.State;
        var restocking = Task.Run(() => new Stock(_context).ServeAgainAsync(state, stopping.Token), stopping.Token);
        try
        {
            await _loop!.RunAsync(until, cancellationToken);
        }
        finally
        {
            await stopping.CancelAsync();
            try
            {
                await restocking;
            }
            catch (OperationCanceledException)
            {
                // the next start goes on with it
            }
        }
    }

    public void Tell(PeerEvent e) => _context!.Tell(e);

    public async ValueTask DisposeAsync()
    {
        if (_gateway is not null)
        {
            await _gateway.DisposeAsync();
        }

        if (_blocks is not null)
        {
            await _blocks.DisposeAsync();
        }

        if (_session is not null)
        {
            await _session.DisposeAsync();
        }

        for (var i = _owned.Count - 1; i >= 0; i--)
        {
            _owned[i].Dispose();
        }

        _lock.Dispose();
    }

    private async Task BuildAsync(
        HomeFolder home, string passphrase, IReadOnlyList<string>? rpc, Func<Policy, CancellationToken, Task<ILocalTrainer>> trainerOf, Action<PeerEvent> report, TimeProvider time,
        Deceit? deceit, CancellationToken cancellationToken)
    {
        home.Sweep();
        Crash.At(CrashPoint.HomeSwept);
        _session = await ChainSession.OpenAsync(home, rpc, federation: null, time, cancellationToken);
        var state = _session.Reader.State;
        var keys = Own(UnlockKeys(home, passphrase, state));
        var seat = state.OperatedBy(keys.Operator.Address)
            ?? throw new UserErrorException($"The operator {keys.Operator.Address} of this home has no seat in the federation {_session.Federation}. A founder runs 'fedchain activate' first; others are admitted by vote.");
        var policy = Policy.Parse(System.Text.Encoding.UTF8.GetBytes(state.LatestPolicy!.Json));
        var identity = new PeerIdentity(_session.ChainId, _session.Federation, state.RoundsContract, seat.Id, keys);

        var store = Own(HomeStore.Open(home));
        if (store is KuboStore node)
        {
            await node.VersionAsync(cancellationToken); // a node that can't be used is told before the round depends on it
        }

        var fetcher = Own(HomeStore.FetcherInto(store, home.Settings, time));
        var sender = Own(new TransactionSender(_session.Client, keys.Operator, _session.ChainId, Own(TransactionJournal.Open(home.TransactionsFile))));
        var trainer = await trainerOf(policy, cancellationToken);
        if (trainer is IDisposable disposable)
        {
            _owned.Add(disposable);
        }

        var served = new MemberContent(home, identity) { Federation = state };
        var listen = IPEndPoint.Parse(home.Settings.Listen);
        _gateway = await ContentGateway.StartAsync(store, served, ContentAccess.GatewayOf(home.Settings, listen, time), cancellationToken);
        _context = new PeerContext
        {
            Home = home,
            Identity = identity,
            Store = store,
            Trainer = trainer,
            Losses = LossLog.Open(home, trainer.ValidationSet),
            WriterOf = who => new RoundsWriter(new RoundsClient(_session.Client, who.Rounds), sender, who),
            Content = new ContentExchange(fetcher, store, keys.Age, seat.Id),
            Report = report,
            Time = time,
            Pulse = Pulse,
        };
        _blocks = new BlockAnnouncements(_session.Announcements, time);
        _loop = new PeerLoop(
            _context, _session.Reader, served, new Contribution(_context) { Deceit = deceit }, new Aggregation(_context) { Deceit = deceit }, _blocks,
            TimeSpan.FromMilliseconds(home.Settings.PollMilliseconds));
    }

    /// <summary>What may have happened while nothing ran: a rotation, another Rounds contract, a home restored from a backup.</summary>
    private async Task TakeStockAsync(CancellationToken cancellationToken)
    {
        _rotated.ForEach(_context!.Tell);
        var state = _session!.Reader.State;
        if (state.Current is { } round && round.PhaseAt(_session.Reader.Now) is not (Phase.Finalised or Phase.Aborted)
            && round.SubmissionOf(_context.Me) is { } mine && !_context.LocalOf(round).HasUpdate)
        {
            _context.Tell(new PeerEvent.UpdateMissing(round.Id.Value, Cid.RawOf(mine.Manifest).ToString()));
        }

        try
        {
            await _loop!.RecommitAsync(state, cancellationToken);
        }
        catch (ChainException e)
        {
            _context.Tell(new PeerEvent.Trouble("making another commitment ('fedchain recommit' does it by hand)", e.Message, Final: true));
        }
    }

    /// <summary>Unlocks the keys, after finishing a rotation that the chain shows to be done.</summary>
    private PeerKeys UnlockKeys(HomeFolder home, string passphrase, FederationState state)
    {
        if (Rotations.FinishOperator(home, passphrase, state) is { } address)
        {
            _rotated.Add(new PeerEvent.KeyRotated("operator", address.ToString()));
        }

        if (Rotations.FinishAge(home, passphrase, state) is { } recipients)
        {
            _rotated.Add(new PeerEvent.KeyRotated("age", Rotations.InShort(recipients)));
        }

        return home.UnlockPeerKeys(passphrase);
    }

    private T Own<T>(T resource)
        where T : IDisposable
    {
        _owned.Add(resource);
        return resource;
    }
}
