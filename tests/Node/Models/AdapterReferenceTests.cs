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
        Assert.Equal((null, "imported:mine"), Resolve("imported:mine", First));
        Assert.Equal((null, "imported:mine (kept)"), Resolve(null, new KeptAdapter(null, Hash(7), "mine")));
        Assert.Equal((3UL, "round:3 (latest)"), Resolve("round:latest", new KeptAdapter(null, Hash(7), "mine")));
        Assert.True(AdapterReference.Parse(null).Settle(new KeptAdapter(null, null)).IsBaseModel);
        Assert.False(AdapterReference.Parse("round:3").Settle(new KeptAdapter(null, null)).IsBaseModel);
    }

    [Fact]
    public void A_folder_that_is_there_is_a_reference_too()
    {
        var folder = Directory.CreateTempSubdirectory("fedchain-test-").FullName;
        Assert.Equal((null, folder), Resolve(folder, First));
        Directory.Delete(folder);
        Assert.Contains("no such folder", Assert.Throws<UserErrorException>(() => AdapterReference.Parse(folder)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_not_there_is_said()
    {
        Refused("not finalised", "round:2", kept: null);
        Refused("not finalised", "round:9", kept: null);
        Refused("keeps no adapter", "kept", kept: null);
        Refused("round 1", null, First with { Adapter = Hash(99) });
        Refused("not finalised", null, new KeptAdapter(new RoundId(2), Hash(11)));
        Assert.Contains("No round", Assert.Throws<UserErrorException>(() => AdapterReference.Parse(null).RoundIn(FederationState.Empty)).Message, StringComparison.Ordinal);
        Assert.All(["", "round:", "round:0", "round:-1", "round:x", "latest", "Kept", "imported:", "imported:..", "imported:a/b", "imported:x.tmp"], text => Assert.Throws<UserErrorException>(() => AdapterReference.Parse(text)));
    }

    private static (ulong?, string) Resolve(string? text, KeptAdapter? kept)
    {
        var reference = AdapterReference.Parse(text).Settle(kept);
        return reference.IsOfRound && reference.RoundIn(Federation) is var (round, name) ? (round.Id.Value, name) : (null, reference.Name);
    }

    private static void Refused(string sentence, string? text, KeptAdapter? kept) => Assert.Contains(
        sentence, Assert.Throws<UserErrorException>(() => Resolve(text, kept)).Message, StringComparison.Ordinal);

    private static RoundState Round(ulong id, byte? aggregate) => new()
    {
        Id = new RoundId(id),
        Contract = Address.Zero,
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
