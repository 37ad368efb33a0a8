using System.Globalization;
using FedChain.Protocol;
using FedChain.Protocol.Ethereum.Abi;
using FedChain.Protocol.Ethereum.Contracts;
using FedChain.Protocol.Rounds;

namespace FedChain.Network.Tests.Differential;

/// <summary>Calls that make sense in a state, or nearly: what <see cref="Player"/> chooses from. <paramref name="mirror"/> tells what the state is.</summary>
internal sealed class Moves(Random random, Mirror mirror)
{
    private const int FewestVoters = 2, MostSeats = 8;

    private readonly List<Hash256> _seen = []; // hashes to be wrong with
    private int _keys;
    private int _policies = 1;

    public static string NameOf(Address address) => Scene.NameOf(address);

    public bool Chance(double probability) => random.NextDouble() < probability;

    public T Pick<T>(IReadOnlyList<T> of) => of[random.Next(of.Count)];

    // ---- rounds

    public Operation Open(ulong time, RoundsMirror rounds) => Operation.Of(time, AnyOperator(), rounds.Address, RoundsAbi.Open);

    /// <summary>The seat's submission, as its peer would make it.</summary>
    public Operation Submit(ulong time, RoundsMirror rounds, Seat seat)
    {
        var view = rounds.RoundAt(time);
        var due = rounds.Due(seat.Id, view.Number);
        var manifest = $"manifest {view.Number}/{seat.Id}";
        return Operation.Of(
            time, NameOf(seat.Operator), rounds.Address, RoundsAbi.Submit,
            view.Number, view.Policy, view.Base, Hash(manifest), mirror.Names.SecretOf(due) ?? Hash("no secret"), NewCommitment(rounds, seat.Id));
    }

    public Operation Publish(ulong time, RoundsMirror rounds)
    {
        var view = rounds.RoundAt(time);
        var aggregator = rounds.Current is { Submissions.Length: > 0 } round && view.Phase == RoundPhase.Aggregation ? round.AggregatorOf((int)view.Turn).Member : AnySeat().Id;
        var what = $"{view.Number}/{view.Turn}";
        return Operation.Of(
            time, mirror.Federation.Seats.TryGetValue(aggregator, out var seat) ? NameOf(seat.Operator) : AnyOperator(), rounds.Address, RoundsAbi.Publish,
            view.Number, view.Turn, Hash($"global {what}"), Chance(0.12) ? Hash256.Zero : Hash($"aggregate {what}"));
    }

    public Operation Attest(ulong time, RoundsMirror rounds, double agreement)
    {
        var view = rounds.RoundAt(time);
        return Operation.Of(time, NameOf(Voter(rounds).Operator), rounds.Address, RoundsAbi.Attest, view.Number, view.Turn, CandidateOf(view), Chance(agreement));
    }

    /// <summary>A batch of signatures, a few of them worth nothing.</summary>
    public Operation AttestBySignatures(ulong time, RoundsMirror rounds, double agreement)
    {
        var view = rounds.RoundAt(time);
        var attestations = new List<AbiValues>();
        for (var left = random.Next(6); left > 0; left--)
        {
            var valid = Chance(agreement);
            var signer = Chance(0.9) ? NameOf(Voter(rounds).Operator) : AnyAccount();
            if (signer is "nobody" or "governance" or "membership" or "rounds" or "successor")
            {
                signer = "outsider";
            }

            var ballot = new Ballot(signer, view.Number, (uint)view.Turn, CandidateOf(view), valid);
            ballot = random.Next(24) switch
            {
                0 => ballot with { Round = new RoundId(view.Number.Value + 1) },
                1 => ballot with { Turn = ballot.Turn + 1 },
                2 => ballot with { Candidate = Wrong() },
                3 => ballot with { Valid = !valid },
                4 => ballot with { Contract = rounds.Address == Scene.Rounds ? "successor" : "rounds" },
                5 => ballot with { Chain = 1 },
                6 => ballot with { Defect = Pick(Enum.GetValues<Defect>()) },
                _ => ballot,
            };
            if (ballot is { Contract: "rounds" } && rounds.Address == Scene.Successor && Chance(0.8))
            {
                ballot = ballot with { Contract = "successor" };
            }

            attestations.Add(new AbiValues([valid, mirror.Names.Signature(ballot)]));
        }

        return Operation.Of(
            time, Chance(0.5) ? "outsider" : AnyAccount(), rounds.Address, RoundsAbi.AttestBySignatures, view.Number, view.Turn, CandidateOf(view), attestations);
    }

    /// <summary>Whether the seat has a commitment for the current round that it can open.</summary>
    public bool Knows(RoundsMirror rounds, Seat seat) => mirror.Names.SecretOf(rounds.Due(seat.Id, rounds.Number)) is not null;

    public Operation Recommit(ulong time, RoundsMirror rounds, Seat seat) =>
        Operation.Of(time, NameOf(seat.Operator), rounds.Address, RoundsAbi.Recommit, NewCommitment(rounds, seat.Id));

    public Operation SetPolicy(ulong time, RoundsMirror rounds, PolicyParams terms)
    {
        var latest = rounds.Fold.LatestPolicy!;
        var json = Chance(0.2) ? latest.Json : $$"""{"policy":{{++_policies}}}""";
        var genesis = Chance(0.3) ? Hash($"genesis {_policies}") : latest.Genesis;
        if (Chance(0.1) && rounds.Current is { } round)
        {
            var inForce = rounds.Fold.Policies[round.Policy]; // back to it
            (json, terms, genesis) = (inForce.Json, inForce.Params, inForce.Genesis);
        }

        return Operation.Of(time, "governance", rounds.Address, RoundsAbi.SetPolicy, latest.Policy, json, RoundsAbi.WriteParams(terms), genesis);
    }

    public static Operation SetPaused(ulong time, RoundsMirror rounds, bool paused) => Operation.Of(time, "governance", rounds.Address, RoundsAbi.SetPaused, paused);

    // ---- seats

    public Operation Activate(ulong time, MemberId id) => Operation.Of(
        time, $"holder {id}", Scene.Membership, MembershipAbi.Activate,
        $"profile {id}", Scene.Account(Chance(0.2) ? $"holder {id}" : $"operator {id}"), NewCommitment(mirror.InUse, id));

    public Operation Apply(ulong time)
    {
        var id = new MemberId(mirror.Seats.LastId.Value + 1);
        return Operation.Of(
            time, Chance(0.05) ? AnyAccount() : $"holder {id}", Scene.Membership, MembershipAbi.ApplyForSeat,
            $"profile {id}", Scene.Account(Chance(0.1) ? $"holder {id}" : Chance(0.3) ? "sought-after" : $"operator {id}"), NewCommitment(mirror.InUse, id));
    }

    public Operation Admit(ulong time)
    {
        var applications = mirror.Federation.Applications.Values.ToList();
        if (applications.Count == 0)
        {
            return Apply(time);
        }

        var application = Pick(applications);
        return Operation.Of(time, "governance", Scene.Membership, MembershipAbi.Admit, application.Id, application.Application);
    }

    public Operation SetOperator(ulong time)
    {
        var seat = AnySeat();
        var key = Chance(0.2) ? seat.Operator : Chance(0.1) ? seat.Holder : Scene.Account(Chance(0.15) ? "sought-after" : $"key {++_keys}");
        return Operation.Of(time, NameOf(seat.Holder), Scene.Membership, MembershipAbi.SetOperator, key, NewCommitment(mirror.InUse, seat.Id));
    }

    /// <summary>Of the seat, by its holder or by vote; the last ones mostly stay.</summary>
    public Operation Leave(ulong time, Seat seat) =>
        mirror.Seats.Voters <= FewestVoters && Chance(0.8) ? Apply(time)
        : Chance(0.5) ? Operation.Of(time, NameOf(seat.Holder), Scene.Membership, MembershipAbi.Resign)
        : Operation.Of(time, "governance", Scene.Membership, MembershipAbi.Expel, seat.Id);

    public Operation Recover(ulong time)
    {
        var seat = AnySeat();
        return Operation.Of(
            time, "governance", Scene.Membership, MembershipAbi.Recover, seat.Id, Chance(0.15) ? Scene.Account(AnyAccount()) : Chance(0.1) ? seat.Operator : Scene.Account($"key {++_keys}"));
    }

    public Operation Wake(ulong time) => Operation.Of(time, NameOf(Sleeper().Operator), Scene.Membership, MembershipAbi.Wake);

    public Operation Dormant(ulong time, MemberId id) => Operation.Of(time, AnyAccount(), Scene.Membership, MembershipAbi.Dormant, id);

    /// <summary>A change of who is who, or of what holds.</summary>
    public Operation Change(ulong time, PolicyParams terms)
    {
        var rounds = mirror.InUse;
        var seats = mirror.Federation.Seats.Count;
        return random.Next(22) switch
        {
            0 => seats >= MostSeats ? Leave(time, AnySeat()) : Apply(time),
            1 or 2 or 3 => seats >= MostSeats ? Leave(time, AnySeat()) : Admit(time),
            4 or 5 => Leave(time, Leaver()),
            6 => Recover(time),
            7 or 8 => SetOperator(time),
            9 => Operation.Of(time, Chance(0.5) ? AnyOperator() : AnyAccount(), Scene.Membership, MembershipAbi.UpdateProfile, "another profile"),
            10 => Wake(time),
            11 => Dormant(time, AnySeat().Id),
            12 or 13 or 14 => Recommit(time, rounds, AnySeat()),
            15 or 16 => SetPolicy(time, rounds, terms),
            17 => SetPaused(time, rounds, Chance(0.5)),
            18 => Operation.Of(time, "governance", Scene.Membership, Internal.Voted, Scene.Account(AnyAccount())),
            19 => Operation.Of(time, "governance", Scene.Membership, MembershipAbi.GrantAuditor, Scene.Account(Chance(0.9) ? "outsider" : "nobody"), Recipient()),
            20 => Operation.Of(time, "governance", Scene.Membership, MembershipAbi.RevokeAuditor, Scene.Account("outsider")),
            _ => Internals(time, rounds),
        };
    }

    private string Recipient() => random.Next(8) switch { 0 => "", 1 => new string('x', 4_097), _ => $"recipient {random.Next(100)}" };

    /// <summary>What only a contract may call, by somebody else.</summary>
    private Operation Internals(ulong time, RoundsMirror rounds) => random.Next(6) switch
    {
        0 => Operation.Of(time, AnyAccount(), rounds.Address, Internal.Register, AnySeat().Id, Hash("commitment of an intruder")),
        1 => Operation.Of(time, AnyAccount(), rounds.Address, Internal.Departed, AnySeat().Id, true),
        2 => Operation.Of(time, AnyAccount(), rounds.Address, Internal.Succeed, 1),
        3 => Operation.Of(time, AnyAccount(), Scene.Membership, Internal.Opening, AnySeat().Operator),
        4 => Operation.Of(time, AnyAccount(), Scene.Membership, MembershipAbi.Expel, AnySeat().Id),
        _ => Operation.Of(time, AnyAccount(), rounds.Address, RoundsAbi.SetPaused, true),
    };

    /// <summary>The same call with another sender, or with one argument changed.</summary>
    public Operation Spoil(Operation o)
    {
        if (o.Function.Inputs.Count == 0 || Chance(0.3))
        {
            return o with { By = AnyAccount() };
        }

        var index = random.Next(o.Function.Inputs.Count);
        var arguments = o.Arguments.ToArray();
        arguments[index] = Spoil(o.Function.Inputs[index].Type, arguments[index]);
        return Operation.Of(o.Time, o.By, o.To, o.Function, arguments);
    }

    private object Spoil(AbiType type, object value) => value switch
    {
        bool flag => !flag,
        string => Chance(0.05) ? new string('x', 16_385) : "x",
        Address => Scene.Account(Chance(0.3) ? "nobody" : AnyAccount()),
        byte[] when type.Kind == AbiKind.FixedBytes => Chance(0.3) ? Hash256.Zero : Wrong(),
        System.Numerics.BigInteger n => n.IsZero || Chance(0.5) ? n + 1 : n - 1,
        AbiValues list when type.Kind == AbiKind.Tuple => SpoilTerms(type, list),
        _ => value,
    };

    /// <summary>One of the policy's numbers: 0, or more than it may be.</summary>
    private AbiValues SpoilTerms(AbiType type, AbiValues terms)
    {
        var values = terms.ToArray();
        var index = random.Next(values.Length);
        values[index] = Chance(0.5) ? 0 : type.Components[index].Type.Size switch { 8 => 9, 24 => (1 << 24) - 1, _ => (30 * 24 * 3600) + 1 };
        return new AbiValues(values);
    }

    // ---- who and what

    public Seat AnySeat() => Pick(mirror.Seats.All.ToList());

    /// <summary>Where it makes a difference: one who has yet to submit, whose turn it is, or whose candidate is voted on.</summary>
    private Seat Leaver()
    {
        var round = mirror.InUse.RoundAt(mirror.Time);
        var awaited = round.Phase switch
        {
            RoundPhase.Training => mirror.Seats.All.Where(s => mirror.InUse.Current!.SubmissionOf(s.Id) is null).ToList(),
            RoundPhase.Attestation => [.. mirror.Seats.All.Where(s => s.Id == round.Aggregator)],
            RoundPhase.Aggregation => [.. mirror.Seats.All.Where(s => s.Id == mirror.InUse.Current!.AggregatorOf((int)round.Turn).Member)],
            _ => [],
        };
        return awaited.Count > 0 && Chance(0.5) ? Pick(awaited) : AnySeat();
    }

    /// <summary>A dormant seat, if there is one.</summary>
    private Seat Sleeper() => mirror.Seats.All.FirstOrDefault(s => s.DormantFrom is not null) ?? AnySeat();

    private string AnyOperator() => mirror.Federation.Seats.Count == 0 ? "outsider" : NameOf(AnySeat().Operator);

    private string AnyAccount() => random.Next(6) switch
    {
        0 => "outsider",
        1 => $"holder {1 + random.Next((int)mirror.Seats.LastId.Value)}",
        2 => $"operator {1 + random.Next((int)mirror.Seats.LastId.Value)}",
        3 => "governance",
        _ => AnyOperator(),
    };

    /// <summary>One who submitted and has yet to vote, if there is any.</summary>
    private Seat Voter(RoundsMirror rounds)
    {
        var voters = (rounds.Current?.Submissions ?? [])
            .Where(s => rounds.Standing?.Votes.ContainsKey(s.Member) != true && mirror.Federation.Seats.ContainsKey(s.Member))
            .Select(s => mirror.Federation.Seats[s.Member]).ToList();
        return voters.Count == 0 || Chance(0.05) ? AnySeat() : Pick(voters);
    }

    private Hash256 CandidateOf(RoundView view) => view.Candidate.IsZero ? Wrong() : view.Candidate;

    private Hash256 NewCommitment(RoundsMirror rounds, MemberId id) =>
        Hash(string.Create(CultureInfo.InvariantCulture, $"commitment {id}/{rounds.MadeBy(id)}{(rounds.Address == Scene.Successor ? " in successor" : "")}"));

    private Hash256 Hash(string name)
    {
        var hash = mirror.Names.Hash(name);
        _seen.Add(hash);
        return hash;
    }

    private Hash256 Wrong() => _seen.Count == 0 || Chance(0.3) ? mirror.Names.Hash("something else") : Pick(_seen);
}
