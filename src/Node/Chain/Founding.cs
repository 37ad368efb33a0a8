using FedChain.Network.Chain;
using FedChain.Node.Homes;
using FedChain.Protocol;
using FedChain.Protocol.Ethereum;
using FedChain.Protocol.Manifests;
using FedChain.Protocol.Rounds;

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
        var profile = ProfileOf(home.Settings, keys, Policy.Parse(System.Text.Encoding.UTF8.GetBytes(state.LatestPolicy!.Json)));
        using var sender = new TransactionSender(session.Client, holder, session.ChainId);
        var call = new MembershipClient(session.Client, session.Federation)
            .Activate(System.Text.Encoding.UTF8.GetString(profile.ToBytes()), keys.Operator.Address, FirstCommitment(session, keys.Operator, id));
        return await sender.SendOrThrowAsync(call, cancellationToken);
    }

    /// <summary>What the institution says about itself, founder or applicant.</summary>
    /// <exception cref="ArgumentException">The home's name or endpoint is out of a profile's bounds; the message says which.</exception>
    public static Profile ProfileOf(HomeSettings settings, PeerKeys keys, Policy policy) =>
        new(settings.Name, keys.Recipients.Select(r => r.ToString()), [settings.Endpoint], policy.BaseModel, policy.Adapter.Digest);

    /// <summary>The commitment that comes with taking a seat: that of the operator's secret number 0.</summary>
    public static Hash256 FirstCommitment(ChainSession session, PrivateKey operatorKey, MemberId id)
    {
        var rounds = session.Reader.State.RoundsContract;
        return Preimages.Commitment(session.ChainId, rounds, id, Preimages.Secret(operatorKey, session.ChainId, rounds, id, index: 0));
    }
}
