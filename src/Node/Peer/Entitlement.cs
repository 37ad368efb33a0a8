using FedChain.Network.Content;
using FedChain.Protocol;
using FedChain.Protocol.Rounds;

namespace FedChain.Node.Peer;

/// <summary>
/// Who may have a payload sealed for it. Global adapters: every present seat and auditor, or nobody could join. Updates, which tell more of one
/// institution's records: the seats that were counted at the opening of the update's round and still exist, and the present auditors.
/// Rules: docs/protocol.md, "Content endpoints".
/// </summary>
public static class Entitlement
{
    /// <param name="federation">As it is now.</param>
    /// <param name="reader">Who asks.</param>
    /// <param name="updateOf">The round of the update that is asked for; null for a global adapter.</param>
    /// <returns>The age recipients to seal to, as published by the reader; none if it isn't entitled.</returns>
    public static IReadOnlyList<string> RecipientsOf(FederationState federation, PayloadReader reader, RoundId? updateOf) => reader switch
    {
        PayloadReader.Member(var id) when federation.Seats.ContainsKey(id) && (updateOf is not { } round || federation.Round(round)?.Seats.ContainsKey(id) == true) =>
            Sealing.AgeOf(federation.Profiles.GetValueOrDefault(id)),
        PayloadReader.Auditor(var address) when federation.Auditors.TryGetValue(address, out var recipient) => [recipient],
        _ => [],
    };
}
