using System.Collections.Immutable;
using FedChain.Network.Content;
using FedChain.Node.Peer;
using FedChain.Protocol;
using FedChain.Protocol.Manifests;
using FedChain.Protocol.Rounds;

namespace FedChain.Node.Tests.Peer;

public sealed class EntitlementTests
{
    private static readonly Address Auditor = new([.. Enumerable.Repeat((byte)0xbb, Address.Size)]);

    private static readonly RoundId First = new(1);

    /// <summary>Members 1 and 2 took part in round 1; 2 has left since, 3 has joined.</summary>
    private static readonly FederationState Federation = FederationState.Empty with
    {
        Seats = Seats(1, 3),
        Profiles = ImmutableDictionary<MemberId, string>.Empty.AddRange(new uint[] { 1, 2, 3 }.Select(id => KeyValuePair.Create(new MemberId(id), ProfileOf(id)))),
        Auditors = ImmutableSortedDictionary<Address, string>.Empty.Add(Auditor, "age1auditor"),
        Rounds =
        [
            new RoundState
            {
                Id = First,
                Contract = Address.Zero,
                Policy = default,
                Base = default,
                FinalisedBefore = 0,
                Seats = Seats(1, 2),
                Profiles = ImmutableDictionary<MemberId, string>.Empty,
                Auditors = ImmutableSortedDictionary<Address, string>.Empty,
                Eligible = 2,
                Minimum = 2,
                OpenedAt = 0,
                ClosesAt = 1,
                PublishWindow = 1,
                AttestWindow = 1,
                MaxTurns = 1,
            },
        ],
    };

    [Fact]
    public void Adapters_are_for_every_present_seat_and_auditor()
    {
        Assert.Equal(["age1of1"], Of(Member(1), updateOf: null));
        Assert.Empty(Of(Member(2), updateOf: null));
        Assert.Equal(["age1of3"], Of(Member(3), updateOf: null));
        Assert.Equal(["age1auditor"], Of(new PayloadReader.Auditor(Auditor), updateOf: null));
        Assert.Empty(Of(new PayloadReader.Auditor(default), updateOf: null));
    }

    [Fact]
    public void Updates_are_for_the_seats_of_their_round_that_are_left_and_for_present_auditors()
    {
        Assert.Equal(["age1of1"], Of(Member(1), First));
        Assert.Empty(Of(Member(2), First)); // has left
        Assert.Empty(Of(Member(3), First)); // came later
        Assert.Equal(["age1auditor"], Of(new PayloadReader.Auditor(Auditor), First));
        Assert.Empty(Of(Member(1), new RoundId(2))); // no such round
    }

    [Fact]
    public void A_profile_that_cannot_be_read_has_no_recipient()
    {
        var broken = Federation with { Profiles = Federation.Profiles.SetItem(new MemberId(1), "not json") };
        Assert.Empty(Entitlement.RecipientsOf(broken, Member(1), updateOf: null));
    }

    private static IReadOnlyList<string> Of(PayloadReader reader, RoundId? updateOf) => Entitlement.RecipientsOf(Federation, reader, updateOf);

    private static PayloadReader.Member Member(uint id) => new(new MemberId(id));

    private static ImmutableSortedDictionary<MemberId, Seat> Seats(params uint[] ids) =>
        ids.ToImmutableSortedDictionary(id => new MemberId(id), id => new Seat(new MemberId(id), default, default, First, DormantFrom: null));

    private static string ProfileOf(uint id) => System.Text.Encoding.UTF8.GetString(new Profile($"member {id}", [$"age1of{id}"], [], default, default).ToBytes());
}
