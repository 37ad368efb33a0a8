using FedChain.Protocol.Envelope;

namespace FedChain.Protocol.Tests.Envelope;

public sealed class RecipientSelectionTests
{
    /// <summary>The u-coordinates of low order on Curve25519 and its twist, and their encodings that are not reduced (cr.yp.to/ecdh.html#validate).</summary>
    public static TheoryData<string> LowOrderPoints =>
    [
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
        "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "0000000000000000000000000000000000000000000000000000000000000080", // the top bit is ignored
    ];

    [Theory]
    [MemberData(nameof(LowOrderPoints))]
    public void A_point_of_low_order_is_no_recipient(string hex)
    {
        var text = Bech32.Encode("age", Convert.FromHexString(hex));
        Assert.False(AgeRecipient.TryParse(text, out _));
        Assert.Contains("low order", Assert.Throws<FormatException>(() => AgeRecipient.Parse(text)).Message, StringComparison.Ordinal);
        var selection = RecipientSelection.From([[text]]);
        Assert.Equal([new SkippedRecipient(0, text, RecipientRefusal.LowOrder)], selection.Skipped);
    }

    [Fact]
    public void Broken_profiles_are_skipped_and_do_not_stop_the_others()
    {
        var keys = Enumerable.Range(0, 8).Select(_ => AgeIdentity.Generate().Recipient.ToString()).ToList();
        var postQuantum = "age1pq1" + new string('q', 1953);
        var selection = RecipientSelection.From([[keys[0]], [], ["nonsense", keys[1]], [postQuantum], [null!, keys[0]], [.. keys[2..]]]);

        Assert.Equal([keys[0], keys[1], keys[2], keys[3], keys[4], keys[5]], selection.Recipients.Select(r => r.ToString()));
        Assert.Equal([1, 3], selection.Unreachable);
        Assert.Equal(
            [
                (2, RecipientRefusal.Unparsable), (3, RecipientRefusal.PostQuantum), (4, RecipientRefusal.Unparsable),
                (4, RecipientRefusal.Duplicate), (5, RecipientRefusal.BeyondLimit), (5, RecipientRefusal.BeyondLimit),
            ],
            selection.Skipped.Select(s => (s.Profile, s.Refusal)));
    }
}
