using System.Text;
using FedChain.Protocol.Ethereum;
using FedChain.Protocol.Ethereum.Signing;
using FedChain.Protocol.Files;

namespace FedChain.Protocol.Identity;

/// <summary>A statement with its signature, as it is handed on in a file.</summary>
/// <param name="Chain">The chain's id.</param>
/// <param name="Membership">The Membership contract; signed with, as the domain's contract.</param>
/// <param name="Statement">What is said.</param>
/// <param name="Signature">Over <see cref="Statement.Digest"/>; whose it is must be held against the chain.</param>
public sealed record SignedStatement(ulong Chain, Address Membership, Statement Statement, Signature Signature)
{
    /// <summary>The most bytes of a file.</summary>
    public const int MaxSize = 256 * 1024;

    /// <summary>The most characters of a statement's text.</summary>
    public const int MaxText = 32 * 1024;

    private const string What = "statement";

    /// <summary>Whose model speaks.</summary>
    public MemberDid Did => new(Chain, Membership, Statement.Member);

    public Hash256 Digest => Statement.Digest(Chain, Membership);

    /// <exception cref="InvalidOperationException">The text is longer than <see cref="MaxText"/>.</exception>
    /// <exception cref="ArgumentException">The text is no whole Unicode.</exception>
    public byte[] ToBytes() => Statement.Text.Length <= MaxText
        ? CanonicalJson.Serialize(JsonValue.Of(
            ("issuedAt", (long)Statement.IssuedAt),
            ("issuer", Did.ToString()),
            ("kind", What),
            ("model", Statement.Model),
            ("signature", Hex.Encode(Signature.ToArray())),
            ("text", Statement.Text),
            ("v", 1)))
        : throw new InvalidOperationException($"A statement has at most {MaxText} characters; this one has {Statement.Text.Length}. Sign a file instead: then its digest is signed.");

    /// <exception cref="InvalidDataException">Too large, not canonical, or a field is missing, unknown or wrong; the message says which.</exception>
    public static SignedStatement Parse(ReadOnlySpan<byte> bytes)
    {
        var fields = new JsonFields(CanonicalJson.Parse(bytes, MaxSize), What);
        fields.Constant("kind", What);
        fields.Constant("v", 1);
        var issuer = fields.Text("issuer", 128);
        var did = MemberDid.TryParse(issuer, out var parsed) ? parsed : throw fields.Wrong("issuer", $"a DID, {MemberDid.Scheme}CHAIN:0xMEMBERSHIP:MEMBER");
        var statement = new Statement(did.Member, fields.Hash("model"), (ulong)fields.Integer("issuedAt", 0, CanonicalJson.MaxInteger), fields.Text("text", MaxText));
        var signature = fields.Bytes("signature", Signature.Size);
        fields.Done();
        try
        {
            return new SignedStatement(did.Chain, did.Membership, statement, Signature.Parse(signature));
        }
        catch (FormatException e)
        {
            throw new InvalidDataException($"The {What}'s signature is refused: {e.Message}", e);
        }
    }

    public override string ToString() => Encoding.UTF8.GetString(ToBytes());
}
