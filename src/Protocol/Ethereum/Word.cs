using System.Buffers.Binary;
using System.Numerics;

namespace FedChain.Protocol.Ethereum;

/// <summary>
/// One 32-byte word of the ABI: a static value as abi.encode writes it. Integers and addresses are right-aligned, bytes32 fills the word.
/// Values convert implicitly, so that a preimage reads as in Solidity: <c>Keccak256.OfWords(round, id, secret)</c>.
/// </summary>
public readonly record struct Word(Hash256 Bits)
{
    public const int Size = 32;

    public static implicit operator Word(Hash256 value) => new(value);

    public static implicit operator Word(Address value)
    {
        Span<byte> word = stackalloc byte[Size];
        word.Clear();
        value.ToArray().CopyTo(word[12..]);
        return new(new Hash256(word));
    }

    public static implicit operator Word(ulong value)
    {
        Span<byte> word = stackalloc byte[Size];
        word.Clear();
        BinaryPrimitives.WriteUInt64BigEndian(word[24..], value);
        return new(new Hash256(word));
    }

    public static implicit operator Word(bool value) => value ? 1UL : 0UL;

    public static implicit operator Word(MemberId value) => value.Value;

    public static implicit operator Word(RoundId value) => value.Value;

    /// <summary>A uint256.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is negative or needs more than 256 bits.</exception>
    public static Word FromUnsigned(BigInteger value)
    {
        if (value.Sign < 0 || value.GetByteCount(isUnsigned: true) > Size)
        {
            throw new ArgumentOutOfRangeException(nameof(value), value, "A uint256 lies between 0 and 2^256 - 1.");
        }

        Span<byte> word = stackalloc byte[Size];
        word.Clear();
        var length = value.GetByteCount(isUnsigned: true);
        value.TryWriteBytes(word[(Size - length)..], out _, isUnsigned: true, isBigEndian: true);
        return new(new Hash256(word));
    }

    /// <summary>An int256, in two's complement.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value needs more than 256 bits.</exception>
    public static Word FromSigned(BigInteger value)
    {
        var length = value.GetByteCount();
        if (length > Size)
        {
            throw new ArgumentOutOfRangeException(nameof(value), value, "An int256 lies between -2^255 and 2^255 - 1.");
        }

        Span<byte> word = stackalloc byte[Size];
        word.Fill(value.Sign < 0 ? (byte)0xff : (byte)0);
        value.TryWriteBytes(word[(Size - length)..], out _, isUnsigned: false, isBigEndian: true);
        return new(new Hash256(word));
    }

    public void CopyTo(Span<byte> destination) => Bits.CopyTo(destination);

    public byte[] ToArray() => Bits.ToArray();

    public BigInteger ToUnsigned() => new(Bits.ToArray(), isUnsigned: true, isBigEndian: true);

    public BigInteger ToSigned() => new(Bits.ToArray(), isUnsigned: false, isBigEndian: true);

    public override string ToString() => Bits.ToString();
}
