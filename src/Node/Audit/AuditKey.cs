using FedChain.Network.Content;
using FedChain.Node.Homes;
using FedChain.Node.Peer;
using FedChain.Protocol;
using FedChain.Protocol.Envelope;
using FedChain.Protocol.Rounds;

namespace FedChain.Node.Audit;

/// <summary>Whose sealed files can be opened in an audit.</summary>
/// <param name="Identities">What opens them; the caller's to dispose.</param>
/// <param name="Reader">As whom members are asked to seal what wasn't sealed to these identities.</param>
internal sealed record AuditKey(IReadOnlyList<AgeIdentity> Identities, PayloadReader Reader)
{
    /// <summary>For people and reports.</summary>
    public string Name => Reader switch
    {
        PayloadReader.Member(var id) => $"member {id}",
        _ => $"auditor {Reader}",
    };

    /// <summary>A member's, by the seat that it operates or, if that is gone, last operated.</summary>
    /// <exception cref="UserErrorException">None of the keys ever operated a seat.</exception>
    public static AuditKey OfMember(FederationState federation, PeerKeys keys)
    {
        var seat = keys.Operators.Select(k => federation.OperatedBy(k.Address)).FirstOrDefault(s => s is not null)
            ?? federation.Rounds.SelectMany(r => r.Seats.Values).LastOrDefault(s => keys.OperatorAt(s.Operator) is not null)
            ?? throw new UserErrorException(
                $"The operator {keys.Operator.Address} of this home has no seat in the federation, so nothing is sealed to it. Without --with-keys, verify checks what is public.");
        return new AuditKey(keys.Age, new PayloadReader.Member(seat.Id));
    }

    /// <summary>An auditor's: the one with this address or, without one, whose granted recipient belongs to the identities. A member's identities do as well.</summary>
    /// <exception cref="UserErrorException">Nobody was granted access with such a recipient.</exception>
    public static AuditKey OfIdentities(FederationState federation, IReadOnlyList<AgeIdentity> identities, Address? auditor)
    {
        if (auditor is { } address)
        {
            return new AuditKey(identities, new PayloadReader.Auditor(address));
        }

        var own = identities.Select(i => i.Recipient.ToString()).ToHashSet(StringComparer.Ordinal);
        var granted = federation.Auditors.Concat(federation.Rounds.Reverse().SelectMany(r => r.Auditors)).Where(a => own.Contains(a.Value)).Select(a => (Address?)a.Key).FirstOrDefault();
        var member = federation.Seats.Keys.Where(id => Sealing.AgeOf(federation.Profiles.GetValueOrDefault(id)).Any(own.Contains)).Select(id => (MemberId?)id).FirstOrDefault();
        return granted is { } known ? new AuditKey(identities, new PayloadReader.Auditor(known))
            : member is { } seat ? new AuditKey(identities, new PayloadReader.Member(seat))
            : throw new UserErrorException(
                $"No auditor was granted access with {string.Join(" or ", own)}, the recipient of the identity that was given. "
                + $"Present auditors: {(federation.Auditors.IsEmpty ? "none" : string.Join(", ", federation.Auditors.Select(a => $"{a.Key} with {a.Value}")))}. Give that auditor's identity, or name it with --auditor ADDRESS.");
    }
}
