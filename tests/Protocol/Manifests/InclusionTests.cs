using CsCheck;
using FedChain.Protocol.Manifests;

namespace FedChain.Protocol.Tests.Manifests;

public sealed class InclusionTests
{
    [Fact]
    public void A_bitmap_counts_its_bits_from_the_least_significant()
    {
        var bitmap = SubmissionBitmap.Of(10, [0, 3, 9]);
        Assert.Equal("0x0902", bitmap.ToString());
        Assert.Equal([0, 3, 9], bitmap.Indices);
        Assert.Equal(3, bitmap.Count);
        Assert.True(bitmap[9]);
        Assert.False(bitmap[8] || bitmap[-1] || bitmap[700]);
        Assert.True(bitmap.IsOf(10));
        Assert.True(bitmap.IsOf(16));
        Assert.False(bitmap.IsOf(9)); // bit 9 would be beyond
        Assert.False(bitmap.IsOf(8) || bitmap.IsOf(17));
        Assert.True(default(SubmissionBitmap).IsOf(0));
        Assert.Equal(SubmissionBitmap.Of(0, []), default);
        Assert.Throws<ArgumentOutOfRangeException>(() => SubmissionBitmap.Of(10, [10]));
    }

    [Theory]
    [InlineData(4, 3, new[] { "0x0f", "0x0f", "0x0f", "0x0f" }, "0x0f")]
    [InlineData(4, 3, new[] { "0x0f", "0x07", "0x03" }, "0x07")] // two of them decide: index 2 has two holders, index 3 one
    [InlineData(3, 2, new[] { "0x01", "0x06" }, "0x00")]
    [InlineData(1, 1, new[] { "0x01" }, "0x01")]
    [InlineData(2, 2, new[] { "0x03", "0x01" }, "0x03")] // one holder is enough where nobody may fail
    public void What_enough_of_the_signed_holdings_name_is_included(int submissions, int quorum, string[] holdings, string included) =>
        Assert.Equal(included, Inclusion.Of(submissions, quorum, [.. holdings.Select(h => new SubmissionBitmap(Hex.Decode(h)))]).ToString());

    [Fact]
    public void Whoever_holds_all_and_signs_can_only_add() =>
        Gen.Int[1, 30].SelectMany(n => Gen.Select(Gen.Const(n), Gen.Int[1, n], Gen.Bool.Array[n].Array[n])).Sample((n, quorum, rows) =>
        {
            var holdings = rows.Take(Math.Max(quorum, n - 1)).Select(row => SubmissionBitmap.Of(n, Enumerable.Range(0, n).Where(i => row[i]))).ToList();
            var before = Inclusion.Of(n, quorum, holdings);
            foreach (var i in Enumerable.Range(0, n))
            {
                Assert.Equal(holdings.Count(h => h[i]) + quorum > n, before[i]);
            }

            if (holdings.Count < n)
            {
                var after = Inclusion.Of(n, quorum, [.. holdings, SubmissionBitmap.All(n)]);
                Assert.Superset(before.Indices.ToHashSet(), after.Indices.ToHashSet());
            }
        });

    [Fact]
    public void Too_few_holdings_too_many_or_another_rounds_are_misuse()
    {
        var all = SubmissionBitmap.All(4);
        Assert.Throws<ArgumentException>(() => Inclusion.Of(4, 3, [all, all]));
        Assert.Throws<ArgumentException>(() => Inclusion.Of(4, 3, [all, all, all, all, all]));
        Assert.Throws<ArgumentException>(() => Inclusion.Of(4, 3, [all, all, SubmissionBitmap.All(9)]));
        Assert.Throws<ArgumentOutOfRangeException>(() => Inclusion.Of(4, 5, [all, all, all, all]));
    }
}
