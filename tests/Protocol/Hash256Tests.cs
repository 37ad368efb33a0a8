using CsCheck;

namespace FedChain.Protocol.Tests;

public sealed class Hash256Tests
{
    [Fact]
    public void Text_and_bytes_round_trip() =>
        Gen.Byte.Array[Hash256.Size].Sample(bytes =>
        {
            var hash = new Hash256(bytes);
            Assert.Equal(bytes, hash.ToArray());
            Assert.Equal(hash, Hash256.Parse(hash.ToString()));
        });

    [Theory]
    [InlineData("")]
    [InlineData("0x")]
    [InlineData("1111111111111111111111111111111111111111111111111111111111111111")]
    [InlineData("0x11111111111111111111111111111111111111111111111111111111111111")]
    [InlineData("0xg111111111111111111111111111111111111111111111111111111111111111")]
    public void Anything_but_64_hex_digits_is_refused(string text)
    {
        Assert.False(Hash256.TryParse(text, out _));
        Assert.Throws<FormatException>(() => Hash256.Parse(text));
    }

    [Fact]
    public void Order_is_that_of_unsigned_big_endian_integers() =>
        Gen.Select(Gen.Byte.Array[Hash256.Size], Gen.Byte.Array[Hash256.Size]).Sample((x, y) =>
            Assert.Equal(Math.Sign(x.AsSpan().SequenceCompareTo(y)), Math.Sign(new Hash256(x).CompareTo(new Hash256(y)))));

    [Fact]
    public void An_address_is_20_bytes_and_round_trips()
    {
        Assert.Throws<ArgumentException>(() => new Address(new byte[21]));
        Gen.Byte.Array[Address.Size].Sample(bytes => Assert.Equal(bytes, Address.Parse(new Address(bytes).ToString()).ToArray()));
    }
}
