using System.Collections.Immutable;
using FedChain.Node.Adapters;
using FedChain.Node.Models;
using FedChain.Protocol;
using FedChain.Protocol.Rounds;

namespace FedChain.Node.Tests.Models;

public sealed class AdapterReferenceTests
{
    private static readonly FederationState Federation = FederationState.Empty with { Rounds = [Round(1, 11), Round(2, null), Round(3, 13), Round(4, null)] };

    private static readonly KeptAdapter First = new(new RoundId(1), Hash(11));

    [Fact]
    public void Without_a_word_the_kept_one_is_used_and_else_the_latest()
    {
        Assert.Equal((1UL, "round:1 (kept)"), Resolve(null, First));
        Assert.Equal((3UL, "round:3 (latest)"), Resolve(null, kept: null));
        Assert.Equal((3UL, "round:3 (latest)"), Resolve("round:latest", First));
        Assert.Equal((1UL, "round:1 (kept)"), Resolve("kept", First));
        Assert.Equal((3UL, "round:3"), Resolve("round:3", First));
        Assert.Equal((null, "no adapter"), Resolve("none", First));
        Assert.Equal((null, "no adapter (kept)"), Resolve(null, new KeptAdapter(null, null)));
        Assert.True(AdapterReference.Parse(null).IsBaseModel(new KeptAdapter(null, null)));
        Assert.False(AdapterReference.Parse("round:3").IsBaseModel(new KeptAdapter(null, null)));
    }

    [Fact]
    public void What_is_not_there_is_said()
    {
        Refused("not finalised", "round:2", kept: null);
        Refused("not finalised", "round:9", kept: null);
        Refused("keeps no adapter", "kept", kept: null);
        Refused("round 1", null, First with { Adapter = Hash(99) });
        Refused("not finalised", null, new KeptAdapter(new RoundId(2), Hash(11)));
        Assert.Contains("No round", Assert.Throws<UserErrorException>(() => AdapterReference.Parse(null).Resolve(null, FederationState.Empty)).Message, StringComparison.Ordinal);
        Assert.All(["", "round:", "round:0", "round:-1", "round:x", "latest", "Kept"], text => Assert.Throws<UserErrorException>(() => AdapterReference.Parse(text)));
    }

    private static (ulong?, string) Resolve(string? text, KeptAdapter? kept) =>
        AdapterReference.Parse(text).Resolve(kept, Federation) is var (round, name) ? (round?.Id.Value, name) : default;

    private static void Refused(string sentence, string? text, KeptAdapter? kept) => Assert.Contains(
        sentence, Assert.Throws<UserErrorException>(() => AdapterReference.Parse(text).Resolve(kept, Federation)).Message, StringComparison.Ordinal);

    private static RoundState Round(ulong id, byte? aggregate) => new()
    {
        Id = new RoundId(id),
        Policy = default,
        Base = default,
        FinalisedBefore = 0,
        Seats = ImmutableSortedDictionary<MemberId, Seat>.Empty,
        Profiles = ImmutableDictionary<MemberId, string>.Empty,
        Auditors = ImmutableSortedDictionary<Address, string>.Empty,
        Eligible = 1,
        Minimum = 1,
        OpenedAt = 0,
        ClosesAt = 0,
        PublishWindow = 1,
        AttestWindow = 1,
        MaxTurns = 1,
        Candidates = aggregate is { } b ? [new Candidate(0, new MemberId(1), default, default, Hash(b), 0)] : [],
        FinalisedAt = aggregate is null ? null : 1,
    };

    private static Hash256 Hash(byte b) => new([.. Enumerable.Repeat(b, 32)]);
}
