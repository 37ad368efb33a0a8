using System.Security.Cryptography;
using System.Text;
using CsCheck;
using FedChain.Protocol;
using FedChain.Protocol.Files;
using FedChain.Protocol.Manifests;
using FedChain.Protocol.Numerics;

namespace FedChain.Aggregator.Tests;

public sealed class UpdateValidatorTests
{
    private static readonly Federation Round = Federation.Small();

    [Fact]
    public void Any_update_that_keeps_the_adapter_in_range_is_accepted() =>
        Round.Differences().Sample(
            differences =>
            {
                var update = Round.Valid(3, differences);
                Assert.Equal(new MemberId(3), update.Member);
                Assert.Equal(1, update.Weight);
            },
            iter: 50);

    [Fact]
    public void What_belongs_elsewhere_is_refused_by_name_in_manifest_and_file()
    {
        var zeros = new int[Round.Count];
        var (file, manifest) = Round.Update(3, zeros);
        Refused(UpdateRefusal.WrongChain, file, manifest with { Chain = 1 });
        Refused(UpdateRefusal.WrongChain, file, manifest with { Rounds = Address.Zero });
        Refused(UpdateRefusal.WrongRound, file, manifest with { Round = new RoundId(4) });
        Refused(UpdateRefusal.WrongMember, file, manifest with { Member = new MemberId(4) });
        Refused(UpdateRefusal.WrongPolicy, file, manifest with { Policy = Hash256.Zero });
        Refused(UpdateRefusal.WrongBase, file, manifest with { Base = Hash256.Zero });
        Refused(UpdateRefusal.WrongPlaintext, file, manifest with { Plaintext = Hash256.Zero });

        Inside(UpdateRefusal.WrongChain, m => m with { Chain = 1 });
        Inside(UpdateRefusal.WrongChain, m => m with { Rounds = Address.Zero });
        Inside(UpdateRefusal.WrongRound, m => m with { Round = new RoundId(6) });
        Inside(UpdateRefusal.WrongMember, m => m with { Member = new MemberId(4) });
        Inside(UpdateRefusal.WrongPolicy, m => m with { Policy = Hash256.Zero });
        Inside(UpdateRefusal.WrongBase, m => m with { Base = Hash256.Zero });

        void Inside(UpdateRefusal reason, Func<UpdateMetadata, UpdateMetadata> change)
        {
            var (other, itsManifest) = Round.Update(3, zeros, change: change);
            Refused(reason, other, itsManifest);
        }
    }

    [Fact]
    public void Another_layout_or_another_factor_is_refused()
    {
        var alternating = Federation.Small(p => p with { Schedule = Policy.Alternating });
        var (whole, _) = Round.Update(3, new int[Round.Count], change: m => m with { Policy = alternating.Terms.PolicyHash });
        Refused(UpdateRefusal.WrongLayout, whole, alternating.Manifest(3, Digest(whole)), alternating);

        var (b, ofB) = alternating.Update(3, new int[alternating.Count]);
        Assert.IsType<UpdateVerdict.Accepted>(Validate(b, ofB, alternating));
        Refused(UpdateRefusal.WrongLayout, b, ofB, alternating with { Terms = alternating.Terms with { Finalised = 1 } });
    }

    [Fact]
    public void Another_encoding_than_the_policys_is_refused()
    {
        var encoded = Round.With(UpdateEncoding.Int8);
        var (plain, _) = Round.Update(3, new int[Round.Count], change: m => m with { Policy = encoded.Terms.PolicyHash });
        var refused = Refused(UpdateRefusal.WrongEncoding, plain, encoded.Manifest(3, Digest(plain)), encoded);
        Assert.Equal("The policy asks for int8; the update is written as int32.", refused.Detail);
        var (small, ofSmall) = encoded.Update(3, new int[Round.Count]);
        Assert.IsType<UpdateVerdict.Accepted>(Validate(small, ofSmall, encoded));
        var (twoBytes, _) = Round.With(UpdateEncoding.Int16).Update(3, new int[Round.Count], change: m => m with { Policy = encoded.Terms.PolicyHash });
        Refused(UpdateRefusal.WrongEncoding, twoBytes, encoded.Manifest(3, Digest(twoBytes)), encoded);
    }

    [Fact]
    public void Encoded_updates_of_another_factor_and_codes_that_leave_the_range_are_refused()
    {
        var alternating = Federation.Small(p => p with { Schedule = Policy.Alternating, Encoding = UpdateEncoding.Int8 });
        var (b, ofB) = alternating.Update(3, new int[alternating.Count]);
        var refused = Refused(UpdateRefusal.WrongLayout, b, ofB, alternating with { Terms = alternating.Terms with { Finalised = 1 } });
        Assert.Contains("24 values; the update has 1, from 'update' [36], 36 values and 2 shifts", refused.Detail, StringComparison.Ordinal);

        var edge = Federation.Of(Round.Terms.Base.Layout, Round.Terms.Policy, [.. Enumerable.Repeat(FixedPoint.MaxValue, Round.Count)]).With(UpdateEncoding.Int8);
        var (most, _) = edge.Update(3, [.. Enumerable.Repeat(-FixedPoint.MaxDifference, Round.Count)]);
        Assert.IsType<UpdateVerdict.Accepted>(Validate(most, edge.Manifest(3, Digest(most)), edge));
        most[^1] = 1; // with the same shift of 18 places
        Refused(UpdateRefusal.ResultOutOfRange, most, edge.Manifest(3, Digest(most)), edge);
        most[^1] = 0x80; // -128 << 18 is -2^25
        refused = Refused(UpdateRefusal.DifferenceOutOfRange, most, edge.Manifest(3, Digest(most)), edge);
        Assert.Contains("is -33554432; expected at most ±16777214", refused.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void A_claim_over_the_cap_is_refused_and_not_clipped()
    {
        var weighted = Federation.Small(p => p with { Rule = new AggregationRule.Mean(Weighting.Samples), WeightCap = 100, Work = new LocalWork(10, 500) });
        Assert.Equal(100, weighted.Valid(3, new int[weighted.Count], samples: 100).Weight);
        var (over, itsManifest) = weighted.Update(3, new int[weighted.Count], samples: 101);
        Refused(UpdateRefusal.WeightOverCap, over, itsManifest, weighted);

        var bounded = Federation.Small(p => p with { Work = new LocalWork(10, 500) });
        var (many, ofMany) = bounded.Update(3, new int[bounded.Count], samples: 501);
        Refused(UpdateRefusal.TooManySamples, many, ofMany, bounded);
    }

    [Fact]
    public void Values_out_of_range_are_refused_wherever_they_are()
    {
        var edge = Federation.Of(Round.Terms.Base.Layout, Round.Terms.Policy, [.. Enumerable.Repeat(FixedPoint.MaxValue, Round.Count)]);
        for (var at = 0; at < edge.Count; at++)
        {
            var differences = Enumerable.Repeat(-FixedPoint.MaxDifference, edge.Count).ToArray();
            Assert.IsType<UpdateVerdict.Accepted>(Check());
            differences[at] = 1;
            Assert.Equal(UpdateRefusal.ResultOutOfRange, Assert.IsType<UpdateVerdict.Refused>(Check()).Reason);

            UpdateVerdict Check()
            {
                var (file, manifest) = edge.Update(3, differences);
                return Validate(file, manifest, edge);
            }
        }
    }

    [Theory]
    [InlineData(FixedPoint.MaxDifference + 1)]
    [InlineData(-FixedPoint.MaxDifference - 1)]
    [InlineData(int.MaxValue)]
    [InlineData(int.MinValue)]
    public void Differences_beyond_24_bits_are_refused_before_anything_is_added(int difference)
    {
        var (file, _) = Round.Update(3, new int[Round.Count]);
        BitConverter.TryWriteBytes(file.AsSpan(file.Length - 4), difference);
        var refused = Refused(UpdateRefusal.DifferenceOutOfRange, file, Round.Manifest(3, Digest(file)));
        Assert.Contains($"is {difference}; expected at most ±16777214", refused.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void Every_single_byte_changed_is_refused() =>
        Gen.Select(Gen.Int, Gen.Byte[1, 255]).Sample((at, flip) =>
        {
            var (file, manifest) = Round.Update(3, new int[Round.Count]);
            file[(int)((uint)at % file.Length)] ^= flip;
            Refused(UpdateRefusal.WrongPlaintext, file, manifest);

            // With a manifest of its own the file is judged by what it says, and never by an exception.
            Validate(file, Round.Manifest(3, Digest(file)), Round);
        });

    [Fact]
    public void A_file_that_is_no_update_is_malformed()
    {
        foreach (var file in new[] { [], new byte[7], new byte[8], [255, 255, 255, 255, 255, 255, 255, 255], Encoding.UTF8.GetBytes("age-encryption.org/v1") })
        {
            Refused(UpdateRefusal.Malformed, file, Round.Manifest(3, Digest(file)));
        }

        var adapter = new MemoryStream();
        AdapterFile.Write(adapter, Round.Terms.Base);
        Refused(UpdateRefusal.Malformed, adapter.ToArray(), Round.Manifest(3, Digest(adapter.ToArray())));
    }

    [Fact]
    public void Every_length_short_of_the_whole_is_malformed()
    {
        var (file, _) = Round.Update(3, new int[Round.Count]);
        for (var length = 0; length < file.Length; length += 7)
        {
            Refused(UpdateRefusal.Malformed, file[..length], Round.Manifest(3, Digest(file[..length])));
        }
    }

    [Fact]
    public void An_update_on_disk_is_judged_as_in_memory()
    {
        var path = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        try
        {
            var (file, manifest) = Round.Update(3, [.. Enumerable.Range(0, Round.Count)]);
            File.WriteAllBytes(path, file);
            using var plaintext = UpdatePlaintext.Open(path);
            var update = Assert.IsType<UpdateVerdict.Accepted>(UpdateValidator.Validate(plaintext, manifest, new MemberId(3), Round.Terms, TestContext.Current.CancellationToken)).Update;
            Assert.Equal(
                Federation.Aggregate(Round.Terms, [Round.Valid(3, [.. Enumerable.Range(0, Round.Count)])]).Digest,
                Federation.Aggregate(Round.Terms, [update]).Digest);
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Fact]
    public void A_file_beyond_two_gibibytes_is_read_in_place_to_its_end_and_no_further()
    {
        const long Length = (1L << 31) + 64;
        var path = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        try
        {
            using (var file = File.Create(path))
            {
                file.SetLength(Length); // sparse: it takes no space
                file.Position = Length - 8;
                file.Write([1, 0, 0, 0, 0xfe, 0xff, 0xff, 0xff]);
            }

            var plaintext = UpdatePlaintext.Open(path);
            Assert.Equal(Length, plaintext.Length);
            Assert.Equal([0, 1, -2], plaintext.Integers<int>(Length - 12, 3).ToArray());
            Assert.Throws<ArgumentOutOfRangeException>(() => { plaintext.Integers<int>(Length - 8, 3); });
            Assert.Throws<ArgumentOutOfRangeException>(() => { plaintext.Integers<int>(-4, 1); });
            plaintext.Dispose();
            Assert.Throws<ObjectDisposedException>(() => { plaintext.Integers<int>(0, 1); });
            plaintext.Dispose();
        }
        finally
        {
            File.Delete(path);
        }
    }

    private static UpdateVerdict.Refused Refused(UpdateRefusal reason, byte[] file, UpdateManifest manifest, Federation? round = null)
    {
        var refused = Assert.IsType<UpdateVerdict.Refused>(Validate(file, manifest, round ?? Round));
        Assert.Equal(reason, refused.Reason);
        Assert.NotEmpty(refused.Detail);
        return refused;
    }

    private static UpdateVerdict Validate(byte[] file, UpdateManifest manifest, Federation round) =>
        UpdateValidator.Validate(UpdatePlaintext.Of(file), manifest, new MemberId(3), round.Terms, TestContext.Current.CancellationToken);

    private static Hash256 Digest(byte[] file) => new(SHA256.HashData(file));
}
