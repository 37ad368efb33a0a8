using System.Collections.Immutable;
using FedChain.Protocol.Ethereum;
using FedChain.Protocol.Files;

namespace FedChain.Protocol.Manifests;

/// <summary>What one submitter holds, signed: EIP-712 <c>Holdings(uint256 round,bytes32 set,bytes bitmap)</c> by its operator's key.</summary>
/// <param name="Member">The submitter.</param>
/// <param name="Held">The submissions that it has fetched, decrypted and found valid.</param>
/// <param name="Signature">Over the round, the set and the bitmap; who made it is for the caller to recover and compare.</param>
public sealed record SignedHolding(MemberId Member, SubmissionBitmap Held, Signature Signature)
{
    internal JsonValue ToJson() => JsonValue.Of(("bitmap", Held.ToString()), ("member", Member.Value), ("signature", Signature.ToString()));

    internal static SignedHolding Parse(JsonValue json)
    {
        var fields = new JsonFields(json, "signed holding");
        var holding = new SignedHolding(
            new MemberId((uint)fields.Integer("member", 1, uint.MaxValue)),
            new SubmissionBitmap(fields.Bytes("bitmap", SubmissionBitmap.MaxBytes)),
            ReadSignature(fields));
        fields.Done();
        return holding;
    }

    /// <summary>Reads a list in which every member occurs once, in ascending order.</summary>
    /// <exception cref="InvalidDataException">Anything else; the message says what.</exception>
    internal static ImmutableArray<SignedHolding> ParseAll(ImmutableArray<JsonValue> items)
    {
        ImmutableArray<SignedHolding> all = [.. items.Select(Parse)];
        for (var i = 1; i < all.Length; i++)
        {
            if (all[i].Member.CompareTo(all[i - 1].Member) <= 0)
            {
                throw new InvalidDataException(
                    $"Signed holdings stand in the order of their members, each once; member {all[i].Member} follows {all[i - 1].Member}.");
            }
        }

        return all;
    }

    internal static Signature ReadSignature(JsonFields fields)
    {
        try
        {
            return Signature.Parse(fields.Bytes("signature", Signature.Size));
        }
        catch (FormatException e)
        {
            throw new InvalidDataException($"The holding's signature is refused: {e.Message}", e);
        }
    }
}

/// <summary>A submitter's holdings as it serves them at <c>/fedchain/v1/holdings/{round}</c>.</summary>
/// <param name="Round">The round.</param>
/// <param name="Set">The rolling hash of the round's submissions, so that the bitmap's meaning is fixed.</param>
/// <param name="Holding">Who holds what.</param>
public sealed record Holdings(RoundId Round, Hash256 Set, SignedHolding Holding)
{
    /// <summary>The most bytes of the message.</summary>
    public const int MaxSize = (2 * SubmissionBitmap.MaxBytes) + 1024;

    public byte[] ToBytes() => CanonicalJson.Serialize(JsonValue.Of(
        ("bitmap", Holding.Held.ToString()),
        ("kind", "holdings"),
        ("member", Holding.Member.Value),
        ("round", (long)Round.Value),
        ("set", Set),
        ("signature", Holding.Signature.ToString()),
        ("v", 1)));

    /// <exception cref="InvalidDataException">Not canonical, or a field is missing, unknown or wrong; the message says which.</exception>
    public static Holdings Parse(ReadOnlySpan<byte> bytes)
    {
        var fields = new JsonFields(CanonicalJson.Parse(bytes, MaxSize), "holdings");
        fields.Constant("v", 1);
        fields.Constant("kind", "holdings");
        var holdings = new Holdings(
            new RoundId((ulong)fields.Integer("round", 1, CanonicalJson.MaxInteger)),
            fields.Hash("set"),
            new SignedHolding(
                new MemberId((uint)fields.Integer("member", 1, uint.MaxValue)),
                new SubmissionBitmap(fields.Bytes("bitmap", SubmissionBitmap.MaxBytes)),
                SignedHolding.ReadSignature(fields)));
        fields.Done();
        return holdings;
    }
}
