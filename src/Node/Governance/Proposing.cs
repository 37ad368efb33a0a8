using FedChain.Node.Chain;
using FedChain.Protocol;
using FedChain.Protocol.Ethereum.Contracts;
using FedChain.Protocol.Governance;
using FedChain.Protocol.Rounds;

namespace FedChain.Node.Governance;

/// <summary>Makes a proposal whose description says what its calls do, once nothing is left that would make the vote pointless.</summary>
internal static class Proposing
{
    /// <exception cref="UserErrorException">Executed now, the call would fail; the message says why.</exception>
    public static async Task<Proposal> PrepareAsync(ChainSession session, ProposedAction action, string reason, CancellationToken cancellationToken)
    {
        var state = session.Reader.State;
        var proposal = ProposalWords.Propose([action], reason, state, ProposalBook.ContractsOf(session, state));
        return await Trial.RefusalAsync(session.Client, state.Governance, proposal.Calls[0], cancellationToken) is not { } refusal ? proposal
            : throw new UserErrorException($"{ProposalWords.Claim(proposal.Description)}? Executed now, that would fail: {refusal} Nothing was proposed.");
    }

    /// <param name="federation">As it is.</param>
    /// <param name="id">The id that the applicant would have.</param>
    /// <param name="anyway">Admit an applicant with another model than the policy's.</param>
    /// <exception cref="UserErrorException">There is no such application, or something speaks against it.</exception>
    public static ProposedAction Admit(FederationState federation, MemberId id, bool anyway)
    {
        if (!federation.Applications.TryGetValue(id, out var application))
        {
            var waiting = federation.Applications.IsEmpty ? "none" : string.Join(", ", federation.Applications.Keys);
            throw new UserErrorException(federation.Seats.ContainsKey(id)
                ? $"Member {id} has its seat already; there is nothing to admit."
                : $"No application waits under member id {id}. Waiting: {waiting}.");
        }

        var admission = Admission.Of(application, federation);
        if (admission.Faults.Count > 0)
        {
            throw new UserErrorException($"Application {id} can't be proposed: {string.Join("; ", admission.Faults)}. The applicant has to apply again.");
        }

        return anyway || admission.Differences.Count == 0
            ? new ProposedAction.Admit(id, application.Application)
            : throw new UserErrorException(
                $"Application {id} does not fit the federation's policy: {string.Join("; ", admission.Differences)}. The applicant has to apply again with the policy's; if the board has another reason, add --anyway.");
    }

    /// <exception cref="UserErrorException">There is nothing at the address, or it isn't this program's Rounds contract.</exception>
    public static async Task<ProposedAction> SucceedAsync(ChainSession session, Address successor, bool anyway, CancellationToken cancellationToken)
    {
        var code = await session.Client.GetCodeAsync(successor, cancellationToken);
        if (code.Length == 0)
        {
            throw new UserErrorException($"There is no contract at {successor}. A successor of Rounds is deployed first, with this Membership and its Governance.");
        }

        return anyway || ContractArtifact.Load("Rounds").IsDeployedAs(code)
            ? new ProposedAction.SetRounds(successor)
            : throw new UserErrorException($"The code at {successor} is not the Rounds contract of this program's release build. If it is a newer one that the board has had reviewed, add --anyway.");
    }
}
