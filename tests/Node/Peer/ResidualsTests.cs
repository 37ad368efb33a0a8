using System.Collections.Immutable;
using FedChain.Node.Peer;
using FedChain.Protocol;
using FedChain.Protocol.Manifests;
using FedChain.Protocol.Rounds;

namespace FedChain.Node.Tests.Peer;

public sealed class ResidualsTests
{
    private static readonly MemberId Me = new(2);

    [Fact]
    public async Task The_residual_in_force_is_that_of_the_latest_update_that_entered_an_aggregate()
    {
        // 1: with it; 2: finalised without it; 3: came to nothing; 4: it was away
        var rounds = new[] { Round(1, 0), Round(2, 1), Round(3, 2) with { FinalisedAt = null }, Round(4, 2, submitters: 1), Round(5, 3) };
        Assert.Equal(1UL, await SourceAsync(rounds, 5));
        Assert.Equal(1UL, await SourceAsync(rounds, 4));
        Assert.Equal(1UL, await SourceAsync(rounds, 2));
        Assert.Null(await SourceAsync(rounds, 1));
    }

    [Fact]
    public async Task After_a_reset_there_is_none()
    {
        var rounds = new[] { Round(1, 0), Round(3, 0), Round(4, 1) };
        Assert.Null(await SourceAsync(rounds, 3));
        Assert.Equal(3UL, await SourceAsync(rounds, 4));
    }

    /// <summary>Every aggregate has both members' updates, but round 2's only the first one's.</summary>
    private static async Task<ulong?> SourceAsync(RoundState[] rounds, ulong of)
    {
        var federation = FederationState.Empty with { Rounds = [.. rounds] };
        var source = await Residuals.SourceAsync(
            federation, federation.Round(new RoundId(of))!, Me, round => Task.FromResult(SubmissionBitmap.Of(2, round.Id.Value == 2 ? [0] : [0, 1])));
        return source?.Id.Value;
    }

    private static RoundState Round(ulong id, ulong before, int submitters = 2) => new()
    {
        Id = new RoundId(id),
        Contract = Address.Zero,
        Policy = default,
        Base = default,
        FinalisedBefore = before,
        Seats = ImmutableSortedDictionary<MemberId, Seat>.Empty,
        Profiles = ImmutableDictionary<MemberId, string>.Empty,
        Auditors = ImmutableSortedDictionary<Address, string>.Empty,
        Eligible = 2,
        Minimum = 1,
        OpenedAt = 0,
        ClosesAt = 1,
        PublishWindow = 1,
        AttestWindow = 1,
        MaxTurns = 1,
        Submissions = [.. Enumerable.Range(0, submitters).Select(i => new Submission(i, new MemberId((uint)i + 1), default, default))],
        Candidates = [new Candidate(0, new MemberId(1), default, default, Hash256.Parse("0x" + new string('1', 64)), 1)],
        FinalisedAt = 2,
    };
}
