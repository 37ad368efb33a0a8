using CsCheck;
using FedChain.Protocol.Envelope;

namespace FedChain.Protocol.Tests.Envelope;

public sealed class RecipientSelectionTests
{
    private static readonly string[] X25519 = Keys(AgeKeyKind.X25519);
    private static readonly string[] Hybrid = Keys(AgeKeyKind.MlKem768X25519);

    private static readonly string[] Broken =
    [
        "", "nonsense", X25519[0].ToUpperInvariant(), "age1pq1" + new string('q', 1953),
        Bech32.Encode("age", new byte[32]),
        Bech32.Encode("age1pq", [.. AgeRecipient.Parse(Hybrid[0]).Key[..1184], .. new byte[32]]),
        Bech32.Encode("age1pq", HybridKemTests.WithCoefficient(AgeRecipient.Parse(Hybrid[0]), 0, 3329)),
    ];

    private static readonly Gen<string> Entry = Gen.Frequency((4, Gen.OneOf(X25519)), (4, Gen.OneOf(Hybrid)), (2, Gen.OneOf(Broken)));

    /// <summary>Lists as readers may have them; some federations have a hybrid entry in each.</summary>
    private static readonly Gen<string[][]> Lists = Gen.OneOf(
        Entry.Array[0, 7].Array[0, 6],
        Gen.Select(Entry.Array[0, 4], Gen.OneOf(Hybrid), Entry.Array[0, 4], (before, key, after) => (string[])[.. before, key, .. after]).Array[1, 6]);

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
    public void A_point_of_low_order_is_no_recipient_nor_part_of_one(string hex)
    {
        var point = Convert.FromHexString(hex);
        foreach (var text in (string[])[Bech32.Encode("age", point), Bech32.Encode("age1pq", [.. AgeRecipient.Parse(Hybrid[0]).Key[..1184], .. point])])
        {
            Assert.False(AgeRecipient.TryParse(text, out _));
            Assert.Contains("low order", Assert.Throws<FormatException>(() => AgeRecipient.Parse(text)).Message, StringComparison.Ordinal);
            var selection = RecipientSelection.From([[text]], postQuantum: false);
            Assert.Equal([new SkippedRecipient(0, text, RecipientRefusal.LowOrder)], selection.Skipped);
        }
    }

    [Fact]
    public void Broken_profiles_are_skipped_and_do_not_stop_the_others()
    {
        var selection = RecipientSelection.From([[X25519[0]], [], ["nonsense", X25519[1]], [Broken[3]], [null!, X25519[0]], [.. X25519[2..8]], [Broken[6]]], postQuantum: false);

        Assert.Equal(AgeKeyKind.X25519, selection.Kind);
        Assert.Equal(X25519[..6], selection.Recipients.Select(r => r.ToString()));
        Assert.Equal([1, 3, 6], selection.Unreachable);
        Assert.Equal(
            [
                (2, RecipientRefusal.Unparsable), (3, RecipientRefusal.Unparsable), (4, RecipientRefusal.Unparsable),
                (4, RecipientRefusal.Duplicate), (5, RecipientRefusal.BeyondLimit), (5, RecipientRefusal.BeyondLimit), (6, RecipientRefusal.NotReduced),
            ],
            selection.Skipped.Select(s => (s.Profile, s.Refusal)));
    }

    [Fact]
    public void All_get_the_hybrid_kind_when_everybody_who_can_be_reached_has_it()
    {
        string[][] all = [[Hybrid[0], X25519[0]], [X25519[1], Hybrid[1]], [], ["nonsense"]];
        var selection = RecipientSelection.From(all, postQuantum: false);
        Assert.Equal(AgeKeyKind.MlKem768X25519, selection.Kind);
        Assert.Equal(Hybrid[..2], selection.Recipients.Select(r => r.ToString()));
        Assert.Equal([2, 3], selection.Unreachable);
    }

    [Fact]
    public void One_reader_without_it_brings_all_back_to_X25519_unless_the_policy_forbids()
    {
        string[][] lists = [[Hybrid[0], X25519[0]], [X25519[1]], [Hybrid[2]]];
        var selection = RecipientSelection.From(lists, postQuantum: false);
        Assert.Equal(X25519[..2], selection.Recipients.Select(r => r.ToString()));
        Assert.Equal([2], selection.Unreachable);

        selection = RecipientSelection.From(lists, postQuantum: true);
        Assert.Equal([Hybrid[0], Hybrid[2]], selection.Recipients.Select(r => r.ToString()));
        Assert.Equal([1], selection.Unreachable);
        Assert.Empty(RecipientSelection.From([[X25519[0]]], postQuantum: true).Recipients);
    }

    [Fact]
    public void The_limit_counts_each_kind_by_itself()
    {
        string[] entries = [.. X25519[..5], .. Hybrid[..5]];
        Assert.Equal(Hybrid[..4], RecipientSelection.From([entries], postQuantum: false).Recipients.Select(r => r.ToString()));
        Assert.Equal(X25519[..4], RecipientSelection.From([entries, [X25519[0]]], postQuantum: false).Recipients.Select(r => r.ToString()));
    }

    [Fact]
    public void Nobody_is_reached_by_two_kinds_and_whoever_is_not_unreachable_has_an_entry_of_the_one() =>
        Gen.Select(Lists, Gen.Bool).Sample((lists, postQuantum) =>
        {
            var selection = RecipientSelection.From(lists, postQuantum);
            Assert.All(selection.Recipients, r => Assert.Equal(selection.Kind, r.Kind));
            Assert.True(!postQuantum || selection.Kind == AgeKeyKind.MlKem768X25519);
            var texts = selection.Recipients.Select(r => r.ToString()).ToHashSet();
            Assert.All(lists.Index(), reader => Assert.Equal(selection.Unreachable.Contains(reader.Index), !reader.Item.Any(texts.Contains)));
            Assert.Equal(lists.Sum(l => l.Length), selection.Skipped.Count + Unskipped(lists));
            if (selection.Kind == AgeKeyKind.MlKem768X25519 && !postQuantum)
            {
                Assert.All(selection.Unreachable, reader => Assert.All(lists[reader], entry => Assert.Contains(entry, Broken)));
            }
        });

    [Fact]
    public void A_broken_list_or_entry_changes_nothing_for_the_others() =>
        Gen.Select(Lists, Gen.Bool, Gen.OneOf(Broken).Array[0, 5], Gen.Int[0, 6]).Sample((lists, postQuantum, broken, where) =>
        {
            var before = RecipientSelection.From(lists, postQuantum);
            string[][] withReader = [.. lists[..Math.Min(where, lists.Length)], broken, .. lists[Math.Min(where, lists.Length)..]];
            string[][] withEntries = [.. lists.Select((l, i) => i == where ? [.. l[..(l.Length / 2)], .. broken, .. l[(l.Length / 2)..]] : l)];
            foreach (var changed in (string[][][])[withReader, withEntries])
            {
                var after = RecipientSelection.From(changed, postQuantum);
                Assert.Equal(before.Recipients, after.Recipients);
                Assert.True(before.Kind == after.Kind || lists.All(l => l.All(Broken.Contains)));
            }
        });

    [Fact]
    public void The_order_is_that_of_first_mention_and_decides_about_nothing_else() =>
        Gen.Select(Lists, Gen.Bool, Gen.Int[0, 1000]).Sample((lists, postQuantum, seed) =>
        {
            var selection = RecipientSelection.From(lists, postQuantum);
            var texts = selection.Recipients.Select(r => r.ToString()).ToList();
            var kind = selection.Kind == AgeKeyKind.X25519 ? X25519 : Hybrid;
            Assert.Equal(lists.SelectMany(l => l.Where(kind.Contains).Take(RecipientSelection.MaxPerProfile)).Distinct(), texts);

            var shuffled = lists.ToArray();
            new Random(seed).Shuffle(shuffled);
            var other = RecipientSelection.From(shuffled, postQuantum);
            Assert.Equal(selection.Kind, other.Kind);
            Assert.Equal(texts.Order(), other.Recipients.Select(r => r.ToString()).Order());
        });

    /// <summary>How many entries are no fault of anybody: the first mention of each recipient, within its list's limit.</summary>
    private static int Unskipped(string[][] lists)
    {
        var known = new HashSet<string>();
        return lists.Sum(list => new[] { X25519, Hybrid }.Sum(kind => list.Where(kind.Contains).Take(RecipientSelection.MaxPerProfile).Count(known.Add)));
    }

    private static string[] Keys(AgeKeyKind kind) => [.. Enumerable.Range(0, 8).Select(i =>
    {
        using var identity = AgeIdentity.Generate(kind, span => span.Fill((byte)(i + 1)));
        return identity.Recipient.ToString();
    })];
}
