using System.Collections.Immutable;
using FedChain.Network.Chain;
using FedChain.Network.Content;
using FedChain.Node.Homes;
using FedChain.Protocol;
using FedChain.Protocol.Files;
using FedChain.Protocol.Rounds;

namespace FedChain.Node.Peer;

/// <summary>
/// Reads the chain, decides, acts, again and again. All that it remembers is the chain and the home folder, so it can be killed at any moment;
/// what was under way is decided anew. Actions run side by side; one that fails is repeated with growing pauses and never stops the others.
/// </summary>
internal sealed class PeerLoop(
    PeerContext context, FederationReader reader, MemberContent served, Contribution contribution, Aggregation aggregation, BlockAnnouncements blocks, TimeSpan poll)
{
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(15);

    /// <summary>
    /// Failures in a row after which the operator is told that content is missing or the contract refuses. Before that others may not have got so far,
    /// or may have been faster.
    /// </summary>
    private const int Patience = 8;

    /// <summary>Copies of an update that a member comes to hold of its own: plain, sealed, served and opened, none larger than the adapter and little more.</summary>
    private const int FilesOfUpdate = 5;

    private readonly Collection _collection = new(context);
    private readonly BaseAdapters _bases = new(context);
    private readonly Measurement _measurement = new(context);
    private readonly Dictionary<PeerAction, (Task Task, CancellationTokenSource Stop)> _running = [];
    private readonly Dictionary<PeerAction, (int Failures, DateTimeOffset Until)> _failed = [];
    private ulong _followsSince = reader.Now;
    private Pause? _pause;
    private string? _diskFault;
    private RoundId _reported = new((reader.State.Current?.Id.Value ?? 1) - 1); // the rounds that ended before this peer ran are no news

    /// <summary>Runs until cancelled, or until <paramref name="until"/> says that this state was waited for.</summary>
    public async Task RunAsync(Func<FederationState, ulong, bool> until, CancellationToken cancellationToken)
    {
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        try
        {
            while (true)
            {
                var announced = blocks.Next; // also of a block that comes while this one is looked at
                await StepAsync(stopping.Token);
                if (until(reader.State, reader.Now) && _running.Count == 0)
                {
                    return;
                }

                var pause = Task.Delay(poll, context.Time, stopping.Token);
                await Task.WhenAny([pause, announced, .. _running.Values.Select(r => r.Task)]);
                stopping.Token.ThrowIfCancellationRequested();
            }
        }
        finally
        {
            var underWay = _running.Where(r => !r.Value.Task.IsCompleted || r.Value.Task.IsCanceled).Select(r => r.Key.InWords).ToList();
            await stopping.CancelAsync();
            await Task.WhenAll(_running.Values.Select(r => r.Task.ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default)));
            if (cancellationToken.IsCancellationRequested)
            {
                context.Tell(new PeerEvent.Stopped(underWay));
            }
        }
    }

    /// <summary>Makes another commitment if none of this home's keys opens the seat's; it holds from the next opening on.</summary>
    public async Task RecommitAsync(FederationState federation, CancellationToken cancellationToken)
    {
        if (await context.Rounds.RecommitAsync(federation, cancellationToken) is { } receipt)
        {
            context.Tell(new PeerEvent.Recommitted(federation.NextRound.Value, receipt.GasUsed, receipt.Transaction.ToString()));
        }
    }

    private async Task StepAsync(CancellationToken cancellationToken)
    {
        foreach (var (action, (task, stop)) in _running.Where(r => r.Value.Task.IsCompleted).ToList())
        {
            _running.Remove(action);
            Settle(action, task);
            stop.Dispose();
        }

        var hasRead = false;
        try
        {
            if (await reader.ReadAsync(cancellationToken) is { } fork)
            {
                context.Tell(new PeerEvent.Reorganised(fork.Block));
            }

            hasRead = true;
        }
        catch (ChainException e)
        {
            context.Tell(new PeerEvent.Trouble("reading the chain", e.Message, Final: false));
            return;
        }
        finally
        {
            TakePause();
            context.Pulse.Beat(reader.State, hasRead, reader.Head?.Number ?? 0, reader.Now, _pause, _running.Keys);
        }

        var federation = reader.State;
        served.Federation = federation;
        if (federation.RoundsContract != context.Identity.Rounds)
        {
            context.Follow(federation.RoundsContract);
            _followsSince = reader.Now;
        }

        ReportEnd(federation);
        var rounds = federation.Rounds;
        ImmutableArray<PeerAction> wanted;
        try
        {
            wanted = Decision.Decide(federation, context.Me, LocalOf(rounds.LastOrDefault()), LocalOf(rounds.Count < 2 ? null : rounds[^2]), reader.Now);
            _diskFault = null;
        }
        catch (Exception e) when (DiskFault.Of(e) is { } fault)
        {
            if (fault != _diskFault)
            {
                context.Tell(new PeerEvent.Trouble("reading and noting what this home holds", fault, Final: false));
            }

            _diskFault = fault;
            return;
        }

        foreach (var old in _failed.Keys.Except(wanted).ToList())
        {
            _failed.Remove(old);
        }

        foreach (var (_, (_, stop)) in _running.Where(r => (r.Key is PeerAction.Train || (_pause is not null && r.Key is PeerAction.Measure)) && !wanted.Contains(r.Key)))
        {
            await stop.CancelAsync(); // the round went on without it, or the operator wants the machine
        }

        foreach (var action in wanted)
        {
            if (!_running.ContainsKey(action) && !(_failed.TryGetValue(action, out var failure) && context.Time.GetUtcNow() < failure.Until))
            {
                var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
                _running[action] = (Task.Run(() => ActAsync(action, federation, stop.Token), stop.Token), stop);
            }
        }
    }

    private Task ActAsync(PeerAction action, FederationState federation, CancellationToken cancellationToken)
    {
        var round = federation.Current!;
        return action switch
        {
            PeerAction.Commit => RecommitAsync(federation, cancellationToken),
            PeerAction.OpenRound => OpenAsync(federation, cancellationToken),
            PeerAction.ObtainAdapter(_, var digest) => _bases.ObtainAsync(federation, round, digest, cancellationToken),
            PeerAction.Train => TrainAsync(federation, round, cancellationToken),
            PeerAction.Submit => contribution.SubmitAsync(round, cancellationToken),
            PeerAction.Expose(var id) => contribution.ExposeAsync(federation.Round(id)!, cancellationToken),
            PeerAction.FetchUpdate(_, var index) => _collection.FetchUpdateAsync(federation, round, index, cancellationToken),
            PeerAction.SignHoldings => Task.Run(() => _collection.SignHoldings(round), cancellationToken),
            PeerAction.FetchHoldings(_, var index) => _collection.FetchHoldingsAsync(round, index, cancellationToken),
            PeerAction.Publish(_, var turn) => aggregation.PublishAsync(federation, round, turn, cancellationToken),
            PeerAction.CheckCandidate(_, var turn) => aggregation.CheckAsync(federation, round, turn, cancellationToken),
            PeerAction.Attest(_, var turn, var candidate, var valid) => aggregation.AttestAsync(round, turn, candidate, valid, cancellationToken),
            PeerAction.Measure(var id) => _measurement.MeasureAsync(federation, federation.Round(id)!, cancellationToken),
            _ => throw new InvalidOperationException($"Unknown action {action}."),
        };
    }

    /// <summary>Not before there is room for what comes of it: hours of training would be lost.</summary>
    private Task TrainAsync(FederationState federation, RoundState round, CancellationToken cancellationToken)
    {
        context.Home.RequireRoom((FilesOfUpdate * AdapterFile.LengthOf(context.Trainer.Layout)) + context.Trainer.WorkingBytes);
        return contribution.TrainAsync(federation, round, cancellationToken);
    }

    private LocalRound LocalOf(RoundState? round) => (round is null ? LocalRound.Empty : context.LocalOf(round)) with { IsPaused = _pause is not null, FollowsSince = _followsSince };

    private void TakePause()
    {
        var before = _pause;
        _pause = Pause.Read(context.Home);
        if (_pause is not null && before is null)
        {
            context.Tell(new PeerEvent.Paused(_pause.Since, _pause.Reason));
        }
        else if (_pause is null && before is not null)
        {
            context.Tell(new PeerEvent.Resumed());
        }
    }

    private async Task OpenAsync(FederationState federation, CancellationToken cancellationToken)
    {
        if (await context.Rounds.OpenAsync(federation.Current?.Id ?? default, cancellationToken) is { } receipt)
        {
            context.Tell(new PeerEvent.Opened(federation.NextRound.Value, receipt.Transaction.ToString(), receipt.GasUsed));
        }
    }

    private void Settle(PeerAction action, Task task)
    {
        if (task.IsCompletedSuccessfully || task.IsCanceled)
        {
            _failed[action] = (0, context.Time.GetUtcNow() + poll); // done, as far as it goes; the chain may take a moment to show it
            return;
        }

        var failures = _failed.GetValueOrDefault(action).Failures + 1;
        var pause = TimeSpan.FromTicks(Math.Min(LongestPause.Ticks, poll.Ticks << Math.Min(failures - 1, 12)));
        _failed[action] = (failures, context.Time.GetUtcNow() + pause);
        var e = task.Exception!.InnerException!;
        if (failures >= Patience || e is not (ContentUnavailableException or ChainException { Refusal: not null }))
        {
            context.Tell(new PeerEvent.Trouble(action.InWords, DiskFault.Of(e) ?? e.Message, Final: false));
        }

        if (e is CorruptBlockException corrupt && context.Store is BlockStore)
        {
            try
            {
                File.Delete(corrupt.Path); // it is fetched again
            }
            catch (Exception fault) when (DiskFault.Of(fault) is not null)
            {
                // whoever needs the block next meets this again
            }
        }
    }

    private void ReportEnd(FederationState federation)
    {
        foreach (var round in federation.Rounds.Where(r => r.Id.CompareTo(_reported) > 0 && r.PhaseAt(reader.Now) is Phase.Finalised or Phase.Aborted))
        {
            context.Tell(new PeerEvent.RoundEnded(round.Id.Value, round.FinalisedAt is not null, round.Winner?.Aggregate.ToString() ?? ""));
            _reported = round.Id;
        }
    }
}
