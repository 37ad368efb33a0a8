using System.Collections.Immutable;
using FedChain.Protocol.Content;
using FedChain.Protocol.Ethereum;
using FedChain.Protocol.Ethereum.Signing;
using FedChain.Protocol.Manifests;
using FedChain.Protocol.Rounds;

namespace FedChain.Protocol.Tests.Rounds;

/// <summary>Four members, all of whom submitted, with a majority of three as the least number of updates.</summary>
public sealed class CandidateRulesTests
{
    private static readonly SigningDomain Domain = new(31337, Address.Parse("0x5fbdb2315678afecb367f032d93f642f64180aa3"));
    private static readonly Hash256 Digest = new([.. Enumerable.Repeat((byte)7, Hash256.Size)]);
    private static readonly ImmutableArray<MemberId> Members = [.. Enumerable.Range(1, 4).Select(i => new MemberId((uint)i))];

    private static readonly RoundState Round = new()
    {
        Id = new RoundId(3),
        Contract = Address.Zero,
        Policy = Digest,
        Base = Digest,
        FinalisedBefore = 2,
        Seats = Members.ToImmutableSortedDictionary(id => id, id => new Seat(id, Key(id).Address, Key(id).Address, new RoundId(1), null)),
        Profiles = ImmutableDictionary<MemberId, string>.Empty,
        Auditors = ImmutableSortedDictionary<Address, string>.Empty,
        Eligible = 4,
        Minimum = 3,
        OpenedAt = 0,
        ClosesAt = 10,
        PublishWindow = 10,
        AttestWindow = 10,
        MaxTurns = 4,
        Submissions = [.. Members.Select((id, i) => new Submission(i, id, Digest, Digest))],
        Set = Digest,
    };

    private static readonly AggregationRule Mean = new AggregationRule.Mean(Weighting.Uniform);
    private static readonly AggregationRule Trimmed = new AggregationRule.TrimmedMean(2);

    [Fact]
    public void A_manifest_of_as_many_updates_as_round_and_rule_need_is_right()
    {
        Assert.Null(Refusal(Mean, included: 4, Digest));
        Assert.Null(Refusal(Mean, included: 3, Digest));
        Assert.Null(Refusal(new AggregationRule.TrimmedMean(1), included: 3, Digest));
    }

    [Fact]
    public void With_fewer_than_the_rounds_minimum_it_must_give_up()
    {
        Assert.Null(Refusal(Mean, included: 2, Hash256.Zero));
        Assert.Equal("it aggregates 2 updates; at least 3 are needed", Refusal(Mean, included: 2, Digest));
        Assert.Equal("it gives up, although 3 updates are included and 3 suffice", Refusal(Mean, included: 3, Hash256.Zero));
    }

    [Fact]
    public void With_fewer_than_the_rule_needs_it_must_give_up_though_they_are_a_majority()
    {
        Assert.Null(Refusal(Trimmed, included: 4, Hash256.Zero));
        Assert.Equal("it aggregates 4 updates; at least 5 are needed", Refusal(Trimmed, included: 4, Digest));
        Assert.Equal((3, 5, 7), (CandidateRules.Needed(Round, Mean), CandidateRules.Needed(Round, Trimmed), CandidateRules.Needed(Round, new AggregationRule.MultiKrum(2, 1))));
    }

    [Fact]
    public void It_includes_what_its_holdings_say_and_nothing_else()
    {
        var (manifest, holdings, candidate) = Candidate(4, Digest);
        var other = manifest with { Included = SubmissionBitmap.Of(4, [0, 1, 2]) };
        Assert.Contains("it includes the submissions 0x07, but by its holdings they are 0x0f", CandidateRules.Refusal(other, holdings, Round, Mean, candidate, Domain), StringComparison.Ordinal);
        Assert.Contains("2 signed holdings; 3 to 4 are needed", CandidateRules.Refusal(manifest, holdings[..2], Round, Mean, candidate, Domain), StringComparison.Ordinal);
        Assert.Contains("the chain says", CandidateRules.Refusal(manifest with { Turn = 1 }, holdings, Round, Mean, candidate, Domain), StringComparison.Ordinal);
        var forged = holdings.SetItem(0, holdings[0] with { Held = SubmissionBitmap.Of(4, [0]) });
        Assert.Contains("are signed by", CandidateRules.Refusal(manifest, forged, Round, Mean, candidate, Domain), StringComparison.Ordinal);
    }

    [Fact]
    public void Momentum_carries_a_state_on_from_every_aggregate_and_nothing_else_does()
    {
        var momentum = new AggregationRule.Momentum(500, Mean);
        var state = new CarriedState(Cid.RawOf(Digest), 1, Digest);
        Assert.Null(Refusal(momentum, 4, Digest, state));
        Assert.Null(Refusal(momentum, 2, Hash256.Zero));
        Assert.Equal("it names no state, but momentum carries one on", Refusal(momentum, 4, Digest));
        Assert.Equal($"it names the state {Digest}, but nothing is carried on from here", Refusal(Mean, 4, Digest, state));
        Assert.Equal($"it names the state {Digest}, but nothing is carried on from here", Refusal(momentum, 2, Hash256.Zero, state));
    }

    [Fact]
    public void A_round_goes_on_from_those_finalised_before_it_since_the_last_reset()
    {
        var candidate = new Candidate(0, Members[0], Digest, Digest, Digest, 10);
        RoundState Of(ulong id, ulong before, bool isFinal) => Round with { Id = new RoundId(id), FinalisedBefore = before, Candidates = [candidate], FinalisedAt = isFinal ? 11 : null };
        var federation = FederationState.Empty with { Rounds = [Of(1, 0, true), Of(2, 0, true), Of(3, 1, false), Of(4, 1, true), Of(5, 2, true)] };
        Assert.Equal([4UL, 2UL], federation.FinalisedBefore(federation.Rounds[4]).Select(r => r.Id.Value)); // round 2 was the first after a reset
        Assert.Equal([2UL], federation.FinalisedBefore(federation.Rounds[3]).Select(r => r.Id.Value));
        Assert.Empty(federation.FinalisedBefore(federation.Rounds[1]));
    }

    private static string? Refusal(AggregationRule rule, int included, Hash256 aggregate, CarriedState? state = null)
    {
        var (manifest, holdings, candidate) = Candidate(included, aggregate);
        return CandidateRules.Refusal(manifest with { State = state }, holdings, Round, rule, candidate, Domain);
    }

    private static (GlobalManifest Manifest, ImmutableArray<SignedHolding> Holdings, Candidate Candidate) Candidate(int included, Hash256 aggregate)
    {
        var held = SubmissionBitmap.Of(4, Enumerable.Range(0, included));
        ImmutableArray<SignedHolding> holdings =
        [
            .. Members.Select(id => new SignedHolding(
                id, held, Key(id).Sign(Domain.Digest(new Protocol.Ethereum.Signing.Holdings(Round.Id, Round.Set, held.Bytes.ToArray()))))),
        ];
        var manifest = new GlobalManifest(
            Domain.ChainId, Domain.Rounds, Round.Id, 0, Members[1], Round.Policy, Round.Base, Round.Set, held, new HoldingsSource.Inline(holdings),
            aggregate, aggregate.IsZero ? null : Cid.RawOf(Digest), aggregate.IsZero ? 0 : 1, State: null);
        return (manifest, holdings, new Candidate(0, Members[1], Digest, Digest, aggregate, 10));
    }

    private static PrivateKey Key(MemberId id) => new([.. Enumerable.Repeat((byte)id.Value, 32)]);
}
