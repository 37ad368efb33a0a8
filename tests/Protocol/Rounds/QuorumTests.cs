using CsCheck;

namespace FedChain.Protocol.Rounds.Tests;

public sealed class QuorumTests
{
    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, 2)]
    [InlineData(3, 2)]
    [InlineData(4, 3)]
    [InlineData(5, 4)]
    [InlineData(6, 5)]
    [InlineData(7, 5)]
    [InlineData(100, 67)]
    public void More_than_two_thirds_must_agree_but_two_of_three_suffice(int submitters, int quorum) => Assert.Equal(quorum, Quorum.Of(submitters));

    [Fact]
    public void Two_quorums_always_share_an_honest_member() =>
        Gen.Int[4, 100_000].Sample(n =>
        {
            var liars = (n - 1) / 3;
            Assert.True((2 * Quorum.Of(n)) - n > liars, $"n = {n}");
            Assert.True(Quorum.HoldersToInclude(n) <= Quorum.Of(n), $"n = {n}");
        });
}
