using FedChain.Network.Chain;
using FedChain.Node.Chain;
using FedChain.Node.Homes;
using FedChain.Node.Models;
using FedChain.Node.Seats;
using FedChain.Protocol;
using FedChain.Protocol.Ethereum.Contracts;
using FedChain.Protocol.Manifests;

namespace FedChain.Node.Governance;

/// <summary>An application, ready to be sent.</summary>
/// <param name="Id">The id that its commitment is made for: the next one, unless another application comes between.</param>
internal sealed record PreparedApplication(MemberId Id, Profile Profile, ContractCall Call);

/// <summary>Asks for a seat in a federation that exists: checks what would make the seat useless before anything is paid for.</summary>
internal static class Applying
{
    /// <exception cref="UserErrorException">The applicant has a seat or an application, or the home's model is another than the policy's.</exception>
    public static async Task<PreparedApplication> PrepareAsync(
        ChainSession session, HomeFolder home, Address holder, PeerKeys keys, bool again, CancellationToken cancellationToken)
    {
        var state = session.Reader.State;
        if (state.Seats.Values.FirstOrDefault(s => s.Holder == holder || s.Operator == holder) is { } seat)
        {
            throw new UserErrorException($"{holder} belongs to seat {seat.Id} of {session.Federation} already; there is nothing to apply for.");
        }

        if (!again && state.Applications.Values.LastOrDefault(a => a.Holder == holder) is { } made)
        {
            throw new UserErrorException(
                $"{holder} has applied already, as member id {made.Id} (application {made.Application}). A member admits it with: fedchain propose admit {made.Id}. To apply anew, add --again.");
        }

        var policy = Admission.PolicyOf(state.LatestPolicy)
            ?? throw new UserErrorException($"The federation's policy {state.LatestPolicy?.Policy} can't be read by this version. Use the version that the members use.");
        await RequireModelAsync(home, policy, cancellationToken);
        var membership = new MembershipClient(session.Client, session.Federation);
        var id = new MemberId((await membership.GetLastIdAsync(cancellationToken)).Value + 1);
        var profile = OwnProfile.FromHome(home.Settings, keys, state);
        var call = membership.ApplyForSeat(OwnProfile.Text(profile), keys.Operator.Address, SeatSecrets.Commitment(keys.Operator, session.ChainId, state.RoundsContract, id, index: 0));
        return new PreparedApplication(id, profile, call);
    }

    /// <summary>The application that a receipt tells of.</summary>
    public static Applied Read(Receipt receipt) => receipt.Logs.Select(l => ContractEvents.Decode(l.Topics, l.Data.Span)).OfType<Applied>().Single();

    private static async Task RequireModelAsync(HomeFolder home, Policy policy, CancellationToken cancellationToken)
    {
        var folder = home.Settings.Model ?? BaseModel.Own;
        var digest = await BaseModel.Open(folder).DigestAsync(cancellationToken);
        if (digest != policy.BaseModel)
        {
            throw new UserErrorException(
                $"The federation trains the base model {policy.BaseModel}, but {(home.Settings.Model is null ? "this home names no model, and the program's own" : $"the home's, in {folder},")} is {digest}. "
                + $"Put the federation's model into a folder and name it as \"model\" in {Path.Combine(home.Path, "home.json")}; nothing was sent.");
        }
    }
}
