using FedChain.Network.Chain;
using FedChain.Node.Homes;
using FedChain.Protocol.Ethereum.Contracts;
using FedChain.Protocol.Governance;

namespace FedChain.Node.Demo;

/// <summary>Has the demonstration's boards decide, each with its own holder's key: propose, vote, queue, execute. The deadline isn't waited for: the local chain's clock is moved past it.</summary>
internal sealed class DemoVotes(ChainClient client, FederationReader reader, DemoSetup setup, DemoScreen screen, Func<TimeSpan, CancellationToken, Task> advance, TimeProvider time)
{
    private const int MostShown = 500;

    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(100);

    private readonly List<DecisionReport> _decisions = [];

    public IReadOnlyList<DecisionReport> Decisions => _decisions;

    /// <summary>Every voter is for it.</summary>
    /// <param name="actions">What the vote executes.</param>
    /// <param name="proposer">Proposes, queues and executes.</param>
    /// <param name="voters">Members at the proposal's snapshot.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    public async Task DecideAsync(IReadOnlyList<ProposedAction> actions, DemoMember proposer, IReadOnlyList<DemoMember> voters, CancellationToken cancellationToken)
    {
        await reader.ReadAsync(cancellationToken);
        var governance = new GovernanceClient(client, reader.State.Governance);
        var contracts = new FederationContracts(setup.Federation, reader.State.Governance, reader.State.RoundsContract);
        var proposal = ProposalWords.Propose(actions, reason: "", reader.State, contracts);
        var gas = new Dictionary<string, IReadOnlyList<ulong>>(StringComparer.Ordinal);
        gas["propose"] = [await SendAsync(proposer, governance.Propose(proposal), cancellationToken)];
        screen.Say(proposer.Name, $"proposes {DemoScreen.Short(proposal.Id.ToString())}: {Cut(proposal.Description)} ({gas["propose"][0]:N0} gas)");
        while (await governance.GetStateAsync(proposal.Id, cancellationToken) == ProposalState.Pending)
        {
            await Task.Delay(Look, time, cancellationToken); // voting begins in the second after
        }

        gas["vote"] = await Task.WhenAll(voters.Select(v => SendAsync(v, governance.Vote(proposal.Id, VoteKind.For), cancellationToken)));
        screen.Say($"{string.Join(", ", voters.Select(v => v.Name))} vote for it ({gas["vote"].Max():N0} gas each); {voters.Count} of {voters.Count}, {(voters.Count / 2) + 1} are needed");
        await advance(DemoDefaults.VotingPeriod, cancellationToken); // votes count when the time for them is over
        gas["queue"] = [await SendAsync(proposer, governance.Queue(proposal), cancellationToken)];
        gas["execute"] = [await ExecuteAsync(proposer, governance, proposal, cancellationToken)];
        screen.Say(proposer.Name, $"queues and executes it ({gas["queue"][0]:N0} + {gas["execute"][0]:N0} gas)");
        _decisions.Add(new DecisionReport(proposal.Id.ToString(), proposal.Description, proposer.Id.Value, voters.Count, voters.Count, gas));
    }

    /// <summary>A post-quantum recipient alone takes 2,000 characters.</summary>
    private static string Cut(string description) => description.Length <= MostShown ? description : $"{description[..MostShown]}…";

    private async Task<ulong> SendAsync(DemoMember member, ContractCall call, CancellationToken cancellationToken)
    {
        using var holder = HomeFolder.Open(member.Home).UnlockHolder(setup.Passphrase);
        using var sender = new TransactionSender(client, holder, setup.ChainId);
        return (await sender.SendOrThrowAsync(call, cancellationToken)).GasUsed;
    }

    private async Task<ulong> ExecuteAsync(DemoMember proposer, GovernanceClient governance, Proposal proposal, CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                return await SendAsync(proposer, governance.Execute(proposal), cancellationToken);
            }
            catch (ChainException e) when (e.Refusal?.Is(ContractErrors.TooEarlyToExecute) == true)
            {
                await Task.Delay(Look, time, cancellationToken);
            }
        }
    }
}
