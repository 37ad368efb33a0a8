using FedChain.Protocol.Ethereum.Contracts;
using FedChain.Protocol.Rounds;

namespace FedChain.Protocol.Tests.Rounds;

/// <summary>
/// Of four members that a round counts three submit, so that each has a turn. It trains during [0, 10); turns have 10 s to publish and 10 s to be voted on.
/// </summary>
public sealed class MemberCountersTests
{
    private static readonly MemberId Absent = new(4), Dormant = new(5), Newcomer = new(6);
    private static readonly Hash256 Digest = new([.. Enumerable.Repeat((byte)7, Hash256.Size)]);
    private static readonly RoundId First = new(1);

    private static readonly FederationState Trained = Fold(
        FederationState.Empty,
        [
            .. Enumerable.Range(1, 5).Select(i => new SeatActivated(new((uint)i), default, default, First, default)),
            new SeatDormant(Dormant, First),
            Opened(First, at: 0),
            new SeatActivated(Newcomer, default, default, new(2), default),
            .. Enumerable.Range(1, 3).Select(i => Submitted(First, i)),
        ]);

    private static readonly MemberId[] Turn = [.. Enumerable.Range(0, 3).Select(t => Trained.Current!.AggregatorOf(t).Member)];

    [Fact]
    public void A_round_is_missed_once_it_is_closed()
    {
        Assert.Equal(None, Of(Trained, Absent, 9));
        Assert.Equal(None with { Missed = 1 }, Of(Trained, Absent, 10));
        Assert.Equal(None with { Missed = 1 }, Of(Fold(Trained, new TrainingClosed(First, 6)), Absent, 6)); // everybody else's submission sufficed, for one had left
        Assert.Equal(None with { Submitted = 1 }, Of(Trained, new(1), 9));
        Assert.Equal(None with { Submitted = 1 }, Of(Trained, new(1), 10));
    }

    [Fact]
    public void Whom_the_opening_did_not_count_misses_nothing()
    {
        Assert.All(new[] { Dormant, Newcomer, new MemberId(9) }, id => Assert.Equal(None, Of(Trained, id, 1000)));
        var next = Fold(Trained, new RoundAborted(First, AbortReason.TurnsExhausted, 40), new SeatAwakened(Dormant, new(2)), Opened(new(2), at: 50));
        Assert.All(new[] { Dormant, Newcomer }, id => Assert.Equal(None with { Missed = 1 }, Of(next, id, 60)));
        Assert.Equal(2, Of(next, Absent, 60).Missed);
    }

    [Fact]
    public void Turns_that_lapse_are_no_shows_and_a_candidate_without_a_quorum_in_time_is_rejected_each_from_its_second_on()
    {
        Assert.Equal((0, 0), Failed(Trained, Turn[0], 19));
        Assert.Equal((1, 0), Failed(Trained, Turn[0], 20));
        Assert.Equal((0, 0), Failed(Trained, Turn[1], 29));
        Assert.Equal((1, 0), Failed(Trained, Turn[1], 30));

        var published = Fold(Trained, Published(turn: 1, at: 25));
        Assert.Equal((1, 0), Failed(published, Turn[0], 25));
        Assert.Equal(None with { Submitted = 1, Published = 1 }, Of(published, Turn[1], 34));
        Assert.Equal(None with { Submitted = 1, Published = 1, Rejected = 1 }, Of(published, Turn[1], 35));
        Assert.Equal((0, 0), Failed(published, Turn[2], 44));
        Assert.Equal((1, 0), Failed(published, Turn[2], 45));

        // The next opening tells of it; nothing is counted twice.
        var told = Fold(published, new CandidateRejected(First, Turn[1], 1, Candidate(1), 35), new RoundAborted(First, AbortReason.TurnsExhausted, 45), Opened(new(2), at: 60));
        Assert.All(Turn, id => Assert.Equal(Failed(published, id, 60), Failed(told, id, 60)));
        Assert.Equal([(1, 0), (0, 1), (1, 0)], Turn.Select(id => Failed(told, id, 60)));
    }

    [Fact]
    public void Votes_reject_at_once_and_whoever_voted_against_the_final_candidate_is_contradicted()
    {
        var published = Fold(Trained, Published(turn: 0, at: 12), Voted(0, Turn[1], valid: false));
        Assert.Equal((0, 0), Failed(published, Turn[0], 13));
        var rejected = Fold(published, Voted(0, Turn[2], valid: false), new CandidateRejected(First, Turn[0], 0, Candidate(0), 13));
        Assert.Equal((0, 1), Failed(rejected, Turn[0], 13));

        var voted = Fold(rejected, Published(turn: 1, at: 14), Voted(1, Turn[0], valid: false));
        Assert.Equal(0, Of(voted, Turn[0], 15).Contradicted); // the vote may yet prevail
        var final = Fold(voted, Voted(1, Turn[2], valid: true), new RoundFinalised(First, Turn[1], 1, Candidate(1), Digest, 1, 15));
        foreach (var now in (ulong[])[15, 1000])
        {
            Assert.Equal(None with { Submitted = 1, Published = 1, Rejected = 1, Contradicted = 1 }, Of(final, Turn[0], now));
            Assert.Equal(None with { Submitted = 1, Published = 1 }, Of(final, Turn[1], now));
            Assert.Equal(None with { Submitted = 1 }, Of(final, Turn[2], now)); // right about a candidate that was rejected, and its turn never came
        }
    }

    [Fact]
    public void A_candidate_that_ends_the_round_for_want_of_updates_is_not_rejected_and_no_turn_follows_it()
    {
        var given = Fold(Trained, Published(turn: 1, at: 22), Voted(1, Turn[2], valid: true), new RoundAborted(First, AbortReason.TooFewIncluded, 23));
        Assert.Equal([(1, 0), (0, 0), (0, 0)], Turn.Select(id => Failed(given, id, 1000)));
    }

    [Fact]
    public void Too_few_updates_make_no_turns()
    {
        var few = Fold(FederationState.Empty, [.. Enumerable.Range(1, 3).Select(i => new SeatActivated(new((uint)i), default, default, First, default)), Opened(First, at: 0), Submitted(First, 1)]);
        Assert.Equal([None with { Submitted = 1 }, None with { Missed = 1 }, None with { Missed = 1 }], few.Seats.Keys.Select(id => Of(few, id, 1000)));
    }

    [Fact]
    public void Of_a_round_whose_contract_was_replaced_only_what_the_log_tells_counts()
    {
        var replaced = new RoundsReplaced(Address.Zero, Address.Zero, First);
        Assert.Equal([None, None with { Submitted = 1 }], new[] { Absent, Turn[0] }.Select(id => Of(Fold(Trained, replaced), id, 1000)));
        var published = Fold(Trained, Published(turn: 1, at: 25), replaced);
        Assert.Equal(1, Of(published, Absent, 1000).Missed);
        Assert.Equal([(1, 0), (0, 0), (0, 0)], Turn.Select(id => Failed(published, id, 1000)));
    }

    private static MemberCounters None { get; } = new(0, 0, 0, 0, 0, 0);

    private static MemberCounters Of(FederationState state, MemberId id, ulong now) => MemberCounters.Of(id, state.Rounds, now);

    private static (int NoShows, int Rejected) Failed(FederationState state, MemberId id, ulong now) => Of(state, id, now) is var c ? (c.NoShows, c.Rejected) : default;

    private static FederationState Fold(FederationState state, params IEnumerable<IContractEvent> events) => events.Aggregate(state, (s, e) => s.Apply(e));

    private static RoundOpened Opened(RoundId round, ulong at) => new(round, new(1), Digest, Digest, 0, 4, 3, at, at + 10, PublishWindow: 10, AttestWindow: 10, MaxTurns: 3);

    private static UpdateSubmitted Submitted(RoundId round, int member) => new(round, new((uint)member), (uint)member - 1, Digest, new([(byte)member, .. new byte[31]]), Digest);

    private static CandidatePublished Published(uint turn, ulong at) => new(First, Turn[turn], turn, Candidate(turn), Digest, Digest, at);

    private static Attested Voted(uint turn, MemberId by, bool valid) => new(First, by, turn, Candidate(turn), valid);

    private static Hash256 Candidate(uint turn) => new([.. new byte[31], (byte)(turn + 1)]);
}
