using FedChain.Network.Chain;
using FedChain.Node.Homes;
using FedChain.Node.Seats;
using FedChain.Protocol;
using FedChain.Protocol.Ethereum;

namespace FedChain.Node.Chain;

/// <summary>A founder's first act: its profile, its operator and that operator's first commitment go on the chain, and its seat is minted.</summary>
internal static class Founding
{
    /// <returns>The receipt; null if the seat was active already.</returns>
    /// <exception cref="UserErrorException">The holder is no founder of this federation.</exception>
    public static async Task<Receipt?> ActivateAsync(
        ChainSession session, HomeFolder home, PrivateKey holder, PeerKeys keys, CancellationToken cancellationToken)
    {
        var state = session.Reader.State;
        if (state.Seats.Values.Any(s => s.Holder == holder.Address))
        {
            return null;
        }

        var founders = state.Founders;
        var index = founders.IndexOf(holder.Address);
        if (index < 0)
        {
            throw new UserErrorException($"The holder {holder.Address} of this home is not among the founders of {session.Federation}: {string.Join(", ", founders)}. Others apply, and are admitted by vote.");
        }

        var id = new MemberId((uint)index + 1);
        var profile = OwnProfile.FromHome(home.Settings, keys, state);
        var commitment = SeatSecrets.Commitment(keys.Operator, session.ChainId, state.RoundsContract, id, index: 0);
        using var sender = new TransactionSender(session.Client, holder, session.ChainId);
        var call = new MembershipClient(session.Client, session.Federation)
            .Activate(OwnProfile.Text(profile), keys.Operator.Address, commitment);
        return await sender.SendOrThrowAsync(call, cancellationToken);
    }
}
