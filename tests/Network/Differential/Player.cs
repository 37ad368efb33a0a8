using FedChain.Protocol;
using FedChain.Protocol.Ethereum;
using FedChain.Protocol.Ethereum.Contracts;

namespace FedChain.Network.Tests.Differential;

/// <summary>
/// A random sequence, the same for the same seed: mostly what honest members would do next, so that rounds come to their ends; now and then something
/// else, or nearly right, or at the wrong time.
/// </summary>
internal sealed class Player
{
    private readonly Random _random;
    private readonly Mirror _mirror;
    private readonly Moves _moves;
    private readonly Queue<Func<Operation>> _plan = new();
    private readonly double _diligence; // how often the next step of the round is taken
    private readonly bool _isPatient; // whether half a year may pass
    private readonly bool _isSuperseding; // whether Rounds may be replaced

    public Player(int seed)
    {
        _random = new Random(seed);
        Founding = new Founding(Pick(1, 2, 3, 3, 4, 4, 5, 6, 7), Terms());
        Length = _random.Next(50, 110);
        _diligence = 0.5 + (0.35 * _random.NextDouble());
        (_isPatient, _isSuperseding) = (_random.Next(5) == 0, _random.Next(8) == 0);
        _mirror = new Mirror(Founding);
        _moves = new Moves(_random, _mirror);
    }

    public Founding Founding { get; }

    /// <summary>How many calls the sequence has.</summary>
    public int Length { get; }

    /// <summary>Moves with each call; it is what the next one is chosen by.</summary>
    public Mirror Mirror => _mirror;

    public Operation Next()
    {
        if (_plan.TryDequeue(out var planned))
        {
            return planned();
        }

        var rounds = _isSuperseding && _moves.Chance(0.15) ? _mirror.RoundsAt(_moves.Chance(0.5) ? Scene.Rounds : Scene.Successor) : _mirror.InUse;
        var time = NextTime(rounds);
        if (_mirror.Federation.Seats.Count == 0 || (_mirror.Seats.FoundersMissing > 0 && _moves.Chance(time < SeatsMirror.FoundingEndsAt ? 0.85 : 0.05)))
        {
            return Found(time);
        }

        if (_isPatient && _moves.Chance(0.02))
        {
            Retire(_moves.AnySeat().Id);
        }

        if (_isSuperseding && _moves.Chance(0.03))
        {
            Supersede();
        }

        return _random.NextDouble() switch
        {
            var p when p < _diligence => NextStep(time, rounds),
            var p when p < _diligence + 0.1 => _moves.Spoil(NextStep(time, rounds)),
            var p when p < _diligence + 0.15 => AnyStep(time, rounds),
            var p when p < _diligence + 0.19 => _moves.Spoil(_moves.Change(time, Terms())),
            _ => _moves.Change(time, Terms()),
        };
    }

    /// <summary>A while on, or exactly to where the phase ends or the next round can begin, a second before or after.</summary>
    private ulong NextTime(RoundsMirror rounds)
    {
        var now = _mirror.Time;
        var round = rounds.RoundAt(now);
        var interval = rounds.Fold.LatestPolicy!.Params.Interval;
        var (goal, probability) = round.Phase switch
        {
            RoundPhase.Training => (round.Until, round.Submissions + 1 >= round.Minimum ? 0.2 : 0.07),
            RoundPhase.Aggregation => (round.Until, 0.15),
            RoundPhase.Attestation => (round.Until, 0.1),
            RoundPhase.Finalised or RoundPhase.Aborted => (round.Since + interval, 0.6),
            _ => (0UL, 0.0),
        };
        if (_mirror.Seats.FoundersMissing > 0 && _mirror.Federation.Seats.Count > 0 && _moves.Chance(0.05))
        {
            (goal, probability) = (SeatsMirror.FoundingEndsAt, 1);
        }

        return goal > now && _moves.Chance(probability) ? goal - 1 + (ulong)Pick(0, 1, 1, 1, 1, 1, 2)
            : _moves.Chance(0.01) ? now + (ulong)_random.Next(2, 5000)
            : now + (ulong)Pick(0, 0, 0, 0, 1, 1, 1, 2, 3);
    }

    private Operation Found(ulong time)
    {
        var missing = Enumerable.Range(1, Founding.Founders).Select(i => new MemberId((uint)i)).Where(id => !_mirror.Federation.Seats.ContainsKey(id)).ToList();
        var step = missing.Count == 0 ? _moves.Apply(time) : _moves.Activate(time, _moves.Pick(missing));
        return _moves.Chance(0.1) ? _moves.Spoil(step) : step;
    }

    /// <summary>What the round waits for.</summary>
    private Operation NextStep(ulong time, RoundsMirror rounds)
    {
        var view = rounds.RoundAt(time);
        switch (view.Phase)
        {
            case RoundPhase.Training:
                var waiting = rounds.Current!.Seats.Keys
                    .Where(id => rounds.Current.SubmissionOf(id) is null && _mirror.Federation.Seats.ContainsKey(id)).Select(id => _mirror.Federation.Seats[id]).ToList();
                var uncounted = _mirror.Seats.All.Where(s => !rounds.Current.Seats.ContainsKey(s.Id)).ToList();
                var seat = uncounted.Count > 0 && _moves.Chance(0.1) ? _moves.Pick(uncounted)
                    : waiting.Count == 0 || _moves.Chance(0.05) ? _moves.AnySeat()
                    : _moves.Pick(waiting);
                return waiting.Count == 1 && _moves.Chance(0.08) ? _moves.Leave(time, waiting[0])
                    : _moves.Knows(rounds, seat) || _moves.Chance(0.3) ? _moves.Submit(time, rounds, seat) : _moves.Recommit(time, rounds, seat);
            case RoundPhase.Aggregation:
                return _moves.Publish(time, rounds);
            case RoundPhase.Attestation:
                var agreement = Agreement(view);
                return _moves.Chance(0.25) ? _moves.AttestBySignatures(time, rounds, agreement) : _moves.Attest(time, rounds, agreement);
            default:
                var federation = _mirror.Federation;
                return federation.Paused && _moves.Chance(0.5) ? Moves.SetPaused(time, rounds, paused: false)
                    : federation.NextRound.Value > federation.LastRound && _moves.Chance(0.4) ? _moves.SetPolicy(time, rounds, Terms())
                    : rounds.Fold.LatestPolicy!.Params.Minimum > _mirror.Seats.Voters && _moves.Chance(0.4) ? _moves.SetPolicy(time, rounds, Terms())
                    : _moves.Open(time, rounds);
        }
    }

    /// <summary>A call on the round in whatever phase.</summary>
    private Operation AnyStep(ulong time, RoundsMirror rounds) => _random.Next(6) switch
    {
        0 => _moves.Open(time, rounds),
        1 => _moves.Submit(time, rounds, _moves.AnySeat()),
        2 => _moves.Publish(time, rounds),
        3 => _moves.Attest(time, rounds, 0.8),
        4 => _moves.AttestBySignatures(time, rounds, 0.8),
        _ => _moves.Recommit(time, rounds, _moves.AnySeat()),
    };

    /// <summary>How likely a vote is for the candidate: most are good, some are bad, and of some opinions differ.</summary>
    private static double Agreement(RoundView view) => Keccak256.OfWords(view.Candidate).ToArray()[0] switch
    {
        < 150 => 0.95,
        < 200 => 0.1,
        _ => 0.6,
    };

    /// <summary>
    /// Half a year without a sign of life, the warning, a month's notice, the end of the vote; some calls come a second too early. A round that was
    /// opened just before still counts the seat, which may submit, or wake up.
    /// </summary>
    private void Retire(MemberId id)
    {
        Func<Operation> At(Func<ulong> when, Func<ulong, Operation> call) => () => call(Math.Max(_mirror.Time, when()));
        ulong Retirable() => _mirror.Seats.View(id).NoticedAt + SeatsMirror.NoticePeriod;
        Operation Dormant(ulong time) => _moves.Dormant(time, id);
        Operation Submit(ulong time) => _moves.Submit(time, _mirror.InUse, _mirror.Federation.Seats.GetValueOrDefault(id) ?? _moves.AnySeat());
        Func<Operation>[] plan =
        [
            At(() => IdleFrom(id) - 1, Dormant), At(() => IdleFrom(id), Dormant), At(() => Retirable() - 1, Dormant),
            At(() => Retirable() - 1, time => _moves.Open(time, _mirror.InUse)), At(Retirable, Dormant), At(Retirable, Dormant),
            .. _moves.Chance(0.7) ? [At(Retirable, Submit)] : Array.Empty<Func<Operation>>(),
            .. _moves.Chance(0.4) ? [At(Retirable, _moves.Wake)] : Array.Empty<Func<Operation>>(),
        ];
        foreach (var step in plan)
        {
            _plan.Enqueue(step);
        }
    }

    private ulong IdleFrom(MemberId id) => Math.Max(_mirror.Seats.View(id).SeenAt, _mirror.InUse.SeenAt(id)) + SeatsMirror.IdlePeriod;

    /// <summary>Most members commit in the contract that is to come; then it comes.</summary>
    private void Supersede()
    {
        var other = _mirror.RoundsAt(_mirror.InUse.Address == Scene.Rounds ? Scene.Successor : Scene.Rounds);
        for (var i = 0; i < _mirror.Federation.Seats.Count; i++)
        {
            _plan.Enqueue(() => _moves.Recommit(_mirror.Time, other, _moves.AnySeat()));
        }

        _plan.Enqueue(() => Operation.Of(
            _mirror.Time, "governance", Scene.Membership, MembershipAbi.SetRounds, _moves.Chance(0.2) ? _mirror.InUse.Address : other.Address));
    }

    private PolicyParams Terms() => new(
        Training: (uint)_random.Next(1, 100),
        Publishing: (uint)_random.Next(1, 50),
        Attesting: (uint)_random.Next(1, 50),
        Interval: (uint)Pick(0, 0, 1, 5, 20),
        Minimum: (uint)Pick(1, 1, 1, 2, 3, 4),
        MaxTurns: (byte)Pick(1, 2, 2, 3, 3, 4, 8),
        Rounds: (uint)Pick(1, 2, 5, 5, 20));

    private int Pick(params ReadOnlySpan<int> of) => of[_random.Next(of.Length)];
}
