using FedChain.Protocol.Content;
using FedChain.Protocol.Files;

namespace FedChain.Protocol.Manifests;

/// <summary>
/// Names a member's update of a round. Its SHA-256 is what the member submits to the chain; the document itself is served after the close, so
/// that nobody can decrypt, relabel and resubmit another's work.
/// </summary>
/// <param name="Chain">The chain's id.</param>
/// <param name="Rounds">The Rounds contract.</param>
/// <param name="Round">The round.</param>
/// <param name="Member">Who submits it.</param>
/// <param name="Policy">Hash of the policy in force.</param>
/// <param name="Base">SHA-256 of the round's base adapter.</param>
/// <param name="Payload">The age file.</param>
/// <param name="Size">Bytes of the age file.</param>
/// <param name="Plaintext">SHA-256 of what is inside, an <see cref="UpdateFile"/>.</param>
public sealed record UpdateManifest(
    ulong Chain, Address Rounds, RoundId Round, MemberId Member, Hash256 Policy, Hash256 Base, Cid Payload, long Size, Hash256 Plaintext)
{
    /// <summary>The canonical bytes: one raw block, whose SHA-256 goes on the chain.</summary>
    public byte[] ToBytes() => Manifest.Seal(JsonValue.Of(
        ("base", Base),
        ("chain", (long)Chain),
        ("kind", "update"),
        ("member", Member.Value),
        ("payload", Payload.ToString()),
        ("plaintext", Plaintext),
        ("policy", Policy),
        ("round", (long)Round.Value),
        ("rounds", Rounds),
        ("size", Size),
        ("v", 1)));

    /// <exception cref="InvalidDataException">Too large, not canonical, or a field is missing, unknown or wrong; the message says which.</exception>
    public static UpdateManifest Parse(ReadOnlySpan<byte> bytes)
    {
        var fields = Manifest.Open(bytes, "update");
        var manifest = new UpdateManifest(
            fields.Chain(),
            fields.Address("rounds"),
            fields.Round(),
            fields.Member("member"),
            fields.Hash("policy"),
            fields.Hash("base"),
            fields.Cid("payload"),
            fields.Size(least: 1),
            fields.Hash("plaintext"));
        fields.Done();
        return manifest;
    }
}
