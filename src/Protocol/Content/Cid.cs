using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;

namespace FedChain.Protocol.Content;

/// <summary>
/// A content identifier, version 0 or 1 (github.com/multiformats/cid): what kind of block it names and the block's multihash.
/// Written in base32 (version 0 in base58). The default value is the raw block whose SHA-256 is all zeros.
/// </summary>
/// <remarks>
/// Every codec and multihash is carried. Blocks can be checked against SHA-256 of 32 bytes and against the identity, which is all that
/// FedChain writes; see <see cref="CanVerify"/>.
/// </remarks>
public readonly record struct Cid
{
    /// <summary>Codec of a block of plain bytes.</summary>
    public const ulong RawCodec = 0x55;

    /// <summary>Codec of a dag-pb node.</summary>
    public const ulong DagPbCodec = 0x70;

    public const ulong Sha256Code = 0x12;

    public const ulong IdentityCode = 0x00;

    /// <summary>The longest digest that is read, in bytes. It also bounds what an identity CID can carry.</summary>
    public const int MaxDigestSize = 128;

    /// <summary>The longest binary form: four numbers and a digest.</summary>
    public const int MaxSize = (4 * Varint.MaxLength) + MaxDigestSize;

    private const int MaxTextLength = 2 * (MaxSize + 1); // base16 is the widest
    private const int V0Size = 34;
    private const int V0TextLength = 46;

    // Kept relative to a raw SHA-256 CID, so that default(Cid) is a valid one.
    private readonly ulong _codecXorRaw;
    private readonly ulong _hashXorSha256;
    private readonly bool _isV0;
    private readonly Hash256 _digest;
    private readonly string? _otherDigest; // hex, where the digest isn't 32 bytes long; a string, so that equality is by value

    private Cid(bool isV0, ulong codec, ulong hashCode, ReadOnlySpan<byte> digest)
    {
        _isV0 = isV0;
        _codecXorRaw = codec ^ RawCodec;
        _hashXorSha256 = hashCode ^ Sha256Code;
        if (digest.Length == Hash256.Size)
        {
            _digest = new Hash256(digest);
        }
        else
        {
            _otherDigest = Convert.ToHexStringLower(digest);
        }
    }

    private Cid(bool isV0, ulong codec, Hash256 sha256)
    {
        _isV0 = isV0;
        _codecXorRaw = codec ^ RawCodec;
        _digest = sha256;
    }

    /// <summary>0 or 1.</summary>
    public int Version => _isV0 ? 0 : 1;

    public ulong Codec => _codecXorRaw ^ RawCodec;

    public ulong HashCode => _hashXorSha256 ^ Sha256Code;

    public bool IsRaw => Codec == RawCodec;

    public bool IsDagPb => Codec == DagPbCodec;

    public bool IsSha256 => HashCode == Sha256Code && _otherDigest is null;

    /// <summary>The block's bytes are the digest itself (<see cref="DigestBytes"/>); there is nothing to fetch.</summary>
    public bool IsIdentity => HashCode == IdentityCode;

    /// <summary>Whether <see cref="Matches"/> can tell right bytes from wrong ones.</summary>
    public bool CanVerify => IsSha256 || IsIdentity;

    /// <summary>The SHA-256 of the block.</summary>
    /// <exception cref="InvalidOperationException">The CID's multihash is another one.</exception>
    public Hash256 Digest => IsSha256
        ? _digest
        : throw new InvalidOperationException($"{this} has no SHA-256 digest; its multihash code is 0x{HashCode:x}.");

    /// <summary>The multihash's digest, of any length.</summary>
    public byte[] DigestBytes => _otherDigest is null ? _digest.ToArray() : Convert.FromHexString(_otherDigest);

    /// <summary>The raw block (version 1) with this SHA-256: how a manifest's digest on the chain names its bytes.</summary>
    public static Cid RawOf(Hash256 sha256) => new(isV0: false, RawCodec, sha256);

    /// <summary>The dag-pb block (version 1) with this SHA-256.</summary>
    public static Cid DagPbOf(Hash256 sha256) => new(isV0: false, DagPbCodec, sha256);

    /// <summary>The version 0 CID with this SHA-256; always a dag-pb block.</summary>
    public static Cid V0Of(Hash256 sha256) => new(isV0: true, DagPbCodec, sha256);

    /// <summary>The raw block (version 1) that consists of these bytes.</summary>
    public static Cid OfRawBlock(ReadOnlySpan<byte> block) => RawOf(Sha256Of(block));

    /// <summary>Reads a CID's text in any base of <see cref="CidBase"/>, in that base's one spelling.</summary>
    /// <exception cref="FormatException">The text isn't a CID.</exception>
    public static Cid Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return TryParse(text, out var cid)
            ? cid
            : throw new FormatException($"Expected a CID such as bafkrei… or Qm…; got '{(text.Length <= 80 ? text : text[..77] + "...")}'.");
    }

    public static bool TryParse([NotNullWhen(true)] string? text, out Cid cid)
    {
        cid = default;
        if (text is null || text.Length is < 2 or > MaxTextLength)
        {
            return false;
        }

        if (text.StartsWith("Qm", StringComparison.Ordinal))
        {
            return text.Length == V0TextLength && Multibase.TryDecode((char)CidBase.Base58Btc, text, out var v0)
                && TryDecode(v0, out cid) && cid._isV0;
        }

        return Multibase.TryDecode(text[0], text.AsSpan(1), out var bytes) && TryDecode(bytes, out cid) && !cid._isV0;
    }

    /// <summary>Reads a CID's binary form, which must fill <paramref name="bytes"/>.</summary>
    public static bool TryDecode(ReadOnlySpan<byte> bytes, out Cid cid) => TryRead(bytes, out cid, out var length) && length == bytes.Length;

    /// <summary>Reads a CID's binary form from the start of <paramref name="bytes"/>.</summary>
    /// <param name="bytes">The CID and whatever follows it.</param>
    /// <param name="cid">The CID; the default value where there is none.</param>
    /// <param name="length">How many bytes it takes.</param>
    public static bool TryRead(ReadOnlySpan<byte> bytes, out Cid cid, out int length)
    {
        cid = default;
        length = 0;
        if (bytes.Length >= 2 && bytes[0] == Sha256Code && bytes[1] == Hash256.Size)
        {
            if (bytes.Length < V0Size)
            {
                return false;
            }

            cid = new Cid(isV0: true, DagPbCodec, Sha256Code, bytes[2..V0Size]);
            length = V0Size;
            return true;
        }

        if (!Next(bytes, ref length, out var version) || version != 1
            || !Next(bytes, ref length, out var codec)
            || !Next(bytes, ref length, out var hashCode)
            || !Next(bytes, ref length, out var digestSize)
            || digestSize > MaxDigestSize || (int)digestSize > bytes.Length - length)
        {
            length = 0;
            return false;
        }

        cid = new Cid(isV0: false, codec, hashCode, bytes.Slice(length, (int)digestSize));
        length += (int)digestSize;
        return true;

        static bool Next(ReadOnlySpan<byte> bytes, ref int position, out ulong value)
        {
            var ok = Varint.TryRead(bytes[position..], out value, out var size);
            position += size;
            return ok;
        }
    }

    /// <summary>Whether these are the bytes that the CID names.</summary>
    /// <exception cref="NotSupportedException">The multihash is neither SHA-256 nor the identity; ask <see cref="CanVerify"/> first.</exception>
    public bool Matches(ReadOnlySpan<byte> block)
    {
        if (IsSha256)
        {
            return Sha256Of(block) == _digest;
        }

        return IsIdentity
            ? block.SequenceEqual(DigestBytes)
            : throw new NotSupportedException($"{this} can't be checked: its multihash code 0x{HashCode:x} is neither SHA-256 (0x12) nor the identity.");
    }

    public byte[] ToArray()
    {
        var digest = DigestBytes;
        Span<byte> bytes = stackalloc byte[MaxSize];
        var length = 0;
        if (!_isV0)
        {
            length += Varint.Write(1, bytes);
            length += Varint.Write(Codec, bytes[length..]);
        }

        length += Varint.Write(HashCode, bytes[length..]);
        length += Varint.Write((ulong)digest.Length, bytes[length..]);
        digest.CopyTo(bytes[length..]);
        return bytes[..(length + digest.Length)].ToArray();
    }

    public override string ToString() => _isV0 ? Multibase.Encode(CidBase.Base58Btc, ToArray()) : ToString(CidBase.Base32);

    /// <summary>The text with its multibase prefix.</summary>
    /// <exception cref="InvalidOperationException">A version 0 CID is asked for in another base than base58, which is all it is written in.</exception>
    public string ToString(CidBase @base)
    {
        if (_isV0)
        {
            return @base == CidBase.Base58Btc
                ? ToString()
                : throw new InvalidOperationException($"{this} is a version 0 CID, which is written in base58 only.");
        }

        return (char)@base + Multibase.Encode(@base, ToArray());
    }

    private static Hash256 Sha256Of(ReadOnlySpan<byte> block)
    {
        Span<byte> hash = stackalloc byte[Hash256.Size];
        SHA256.HashData(block, hash);
        return new Hash256(hash);
    }
}
