using FedChain.Protocol;
using FedChain.Protocol.Envelope;
using FedChain.Protocol.Ethereum;

namespace FedChain.Node.Homes;

/// <summary>
/// The keys that a peer works with, unlocked. The holder's is not among them: a hospital may keep that one elsewhere. Former keys are kept after a
/// rotation: a round goes by the operator that the seat had at its opening, and what was sealed to an old identity stays readable.
/// </summary>
public sealed class PeerKeys : IDisposable
{
    internal PeerKeys(IReadOnlyList<PrivateKey> operators, IReadOnlyList<AgeIdentity> age) => (Operators, Age) = (operators, age);

    /// <summary>Signs transactions and statements now.</summary>
    public PrivateKey Operator => Operators[0];

    /// <summary>The present key first, then former ones, the latest first.</summary>
    public IReadOnlyList<PrivateKey> Operators { get; }

    /// <summary>What opens sealed files: for each age key, the present one first, the identities of <see cref="HomeFolder.DeriveAge"/>.</summary>
    public IReadOnlyList<AgeIdentity> Age { get; }

    /// <summary>What the profile says: the present key's recipients, one of each kind, the preferred first.</summary>
    public IEnumerable<AgeRecipient> Recipients => Age.Select(identity => identity.Recipient).DistinctBy(recipient => recipient.Kind);

    /// <summary>The operator key with this address; null if it was never this home's.</summary>
    public PrivateKey? OperatorAt(Address address) => Operators.FirstOrDefault(k => k.Address == address);

    public void Dispose()
    {
        foreach (var key in Operators)
        {
            key.Dispose();
        }

        foreach (var identity in Age)
        {
            identity.Dispose();
        }
    }
}
