using System.Diagnostics;
using FedChain.EndToEnd.Tests;
using FedChain.Node.Audit;
using FedChain.Node.Homes;
using FedChain.Protocol;
using FedChain.Protocol.Manifests;
using FedChain.Protocol.Rounds;

namespace FedChain.Chaos;

/// <summary>Founds a federation, lets it run, injects the faults, and looks at what is left.</summary>
internal sealed class ChaosRun
{
    private const int Steps = 10;

    /// <summary>Fewer than a training has, or nothing would be seen of them.</summary>
    private const int CheckpointSteps = 4;

    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(50);

    private readonly ChaosOptions _options;
    private readonly TestFederation _federation;
    private readonly List<Member> _members;
    private readonly List<string> _ended = [];
    private readonly List<Task> _restarts = [];
    private int _kills;
    private int _aggregatorKills;

    private ChaosRun(ChaosOptions options, TestFederation federation)
    {
        (_options, _federation) = (options, federation);
        _members = [.. federation.Members.Select((m, i) =>
            new Member(HomeOf(m.Home), federation.Home.PassphraseFile, Path.Combine(federation.Home.Logs, $"{m.Name}.jsonl"), i + 1))];
    }

    private FederationState State => _federation.Reader.State;

    public static async Task<ChaosReport> RunAsync(ChaosOptions options, CancellationToken cancellation)
    {
        await using var federation = await TestFederation.FoundAsync(options.Members, Steps, options.Params, change: null, options.Home, cancellation);
        var run = new ChaosRun(options, federation);
        try
        {
            return await run.RunAsync(cancellation);
        }
        finally
        {
            foreach (var member in run._members)
            {
                await member.DisposeAsync();
            }
        }
    }

    private async Task<ChaosReport> RunAsync(CancellationToken cancellation)
    {
        var watch = Stopwatch.StartNew();
        _members.ForEach(m => m.Start());
        foreach (var fault in _options.Faults)
        {
            if (await ReachedAsync(fault, cancellation))
            {
                await InjectAsync(fault, cancellation);
            }

            if (!await EndedAsync(fault.Round, cancellation))
            {
                break; // undecided: the report says so
            }
        }

        await Task.WhenAll(_restarts);
        var winner = State.Rounds.LastOrDefault(r => r.Winner is not null)?.Winner;
        if (winner is not null)
        {
            await WaitAsync(() => _members.TrueForAll(m => m.Holds(winner.Aggregate)), cancellation);
        }

        foreach (var member in _members)
        {
            NoteEnd(member);
            await member.DisposeAsync();
            await member.NoteWrittenAsync();
        }

        return await ReportAsync(winner, watch, cancellation);
    }

    /// <summary>Waits for the phase of a fault; a later one will do. False if the round ended before.</summary>
    private async Task<bool> ReachedAsync(Fault fault, CancellationToken cancellation)
    {
        await WaitAsync(() => State.Round(IdOf(fault.Round)) is { } round && round.PhaseAt(_federation.Reader.Now) switch
        {
            Phase.Training => fault.During == Moment.Training,
            Phase.Aggregation => fault.During is Moment.Training or Moment.Aggregation,
            _ => true,
        }, cancellation);
        return !HasEnded(fault.Round);
    }

    private async Task InjectAsync(Fault fault, CancellationToken cancellation)
    {
        await Task.Delay(fault.After, cancellation);
        var number = fault.Member ?? (int)AggregatorOf(State.Round(IdOf(fault.Round))!).Value;
        var member = _members[number - 1];
        Console.WriteLine($"{fault}{(fault.Member is null ? $": member {number}" : "")}");
        NoteEnd(member);
        await member.KillAsync();
        (_kills, _aggregatorKills) = (_kills + 1, _aggregatorKills + (fault.Member is null ? 1 : 0));
        var restart = RestartAsync();
        _restarts.Add(restart);

        async Task RestartAsync()
        {
            await Task.Delay(fault.Down, cancellation);
            member.Start();
        }
    }

    /// <summary>Whether the round ended; whoever is still down is started before the next one, which kills somebody else.</summary>
    private async Task<bool> EndedAsync(int round, CancellationToken cancellation)
    {
        var isOver = await WaitAsync(() => HasEnded(round), cancellation);
        await Task.WhenAll(_restarts);
        Console.WriteLine(State.Round(IdOf(round)) is not { } state ? $"round {round}: not opened"
            : $"round {round}: {state.PhaseAt(_federation.Reader.Now).GetType().Name}, {state.Submissions.Length} updates, {state.Candidates.Length} candidates");
        return isOver;
    }

    /// <summary>Follows the chain until something is so. False if that takes longer than a round can.</summary>
    private async Task<bool> WaitAsync(Func<bool> isSo, CancellationToken cancellation)
    {
        var patience = Stopwatch.StartNew();
        while (true)
        {
            await _federation.Reader.ReadAsync(cancellation);
            if (isSo() || patience.Elapsed > _options.LongestRound)
            {
                return isSo();
            }

            await Task.Delay(Poll, cancellation);
        }
    }

    private bool HasEnded(int round) => State.Round(IdOf(round))?.PhaseAt(_federation.Reader.Now) is Phase.Finalised or Phase.Aborted || State.Current?.Id.Value > (ulong)round;

    private MemberId AggregatorOf(RoundState round) => round.PhaseAt(_federation.Reader.Now) switch
    {
        Phase.Aggregation(var turn, _, _) => round.AggregatorOf(turn).Member,
        Phase.Attestation(var turn, _, _) => round.AggregatorOf(turn).Member,
        _ => round.Winner?.Aggregator ?? new MemberId(1),
    };

    private void NoteEnd(Member member)
    {
        if (member.Ended is { } said)
        {
            _ended.Add(said);
        }
    }

    private async Task<ChaosReport> ReportAsync(Candidate? winner, Stopwatch watch, CancellationToken cancellation)
    {
        await _federation.Reader.ReadAsync(cancellation);
        var rounds = State.Rounds;
        var lost = new List<string>();
        foreach (var member in _members)
        {
            foreach (var (digest, (bytes, at)) in member.Written)
            {
                var update = UpdateManifest.Parse(bytes);
                if (State.Round(update.Round) is not { } round)
                {
                    continue;
                }

                if (round.SubmissionOf(update.Member) is { } submission)
                {
                    if (submission.Manifest != digest)
                    {
                        lost.Add($"member {member.Number} had written the update {digest} for round {update.Round} and submitted {submission.Manifest}");
                    }
                }
                else if (member.Lives.LongestBetween(at, DateTimeOffset.FromUnixTimeSeconds((long)round.ClosesAt)) is var had && had > _options.SubmitPatience)
                {
                    lost.Add($"member {member.Number} had written the update {digest}, was ready for {had.TotalSeconds:F0} s while round {update.Round} was open for it, and submitted nothing");
                }
            }

            if (winner is not null && !member.Holds(winner.Aggregate))
            {
                lost.Add($"member {member.Number} lacks the last adapter {winner.Aggregate}");
            }
        }

        using var keys = _members[0].Home.UnlockPeerKeys(_federation.Passphrase);
        var request = new AuditRequest
        {
            Federation = _federation.Address,
            Stores = [.. _members.Select(m => m.Home.StorePath)],
            AllowPrivate = true,
            Key = AuditKey.OfMember(State, keys),
        };
        var audit = await Auditor.RunAsync(_federation.Client, request, TimeProvider.System, cancellation);
        lost.AddRange(audit.Checks.Where(c => c.Result != CheckResult.Held).Select(c => $"verify: round {c.Round}, {c.Name} {c.Result}: {c.Detail}"));
        var landed = await LandedCalls.ReadAsync(_federation.Chain.RpcUrl, cancellation);
        return new ChaosReport
        {
            Rounds = _options.Rounds,
            Finalised = rounds.Count(r => r.FinalisedAt is not null),
            Aborted = rounds.Count(r => r.PhaseAt(_federation.Reader.Now) is Phase.Aborted),
            Kills = _kills,
            AggregatorKills = _aggregatorKills,
            Ended = _ended,
            Lost = lost,
            Duplicates = landed.Repeated,
            ChecksHeld = audit.Held,
            StepsLost = _members.Max(m => m.StepsLost),
            CheckpointSteps = CheckpointSteps,
            Submissions = rounds.Sum(r => r.Submissions.Length),
            Possible = _options.Rounds * _options.Members,
            Took = watch.Elapsed,
        };
    }

    private static HomeFolder HomeOf(string path)
    {
        var home = HomeFolder.Open(path);
        home.Save(home.Settings with { Training = home.Settings.Training with { CheckpointSteps = CheckpointSteps } });
        return home;
    }

    private static RoundId IdOf(int round) => new((ulong)round);
}
