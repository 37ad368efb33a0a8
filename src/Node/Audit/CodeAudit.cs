using FedChain.Network.Chain;
using FedChain.Node.Chain;
using FedChain.Protocol;
using FedChain.Protocol.Ethereum;
using FedChain.Protocol.Ethereum.Contracts;
using FedChain.Protocol.Rounds;

namespace FedChain.Node.Audit;

/// <summary>
/// Holds the contracts on the chain against the release build: their runtime code, the code and arguments that created them (a doctored constructor
/// could have filled storage under genuine runtime code), how they name each other, and the counters that they keep.
/// </summary>
internal sealed class CodeAudit(ChainClient chain, Address membership, IReadOnlyList<ChainEvent> events, FederationState state, ChainBlock head, Findings findings)
{
    private const string Creation = "creation";

    /// <summary>Every Rounds contract, in the order in which they ruled.</summary>
    private readonly IReadOnlyList<Address> _rounds =
        [.. events.Select(e => e.Event).OfType<FederationFounded>().Select(e => e.Rounds), .. events.Select(e => e.Event).OfType<RoundsReplaced>().Select(e => e.Rounds)];

    public async Task RunAsync(IReadOnlyDictionary<RoundId, Address> contracts, CancellationToken cancellationToken)
    {
        await CompareCodeAsync(cancellationToken);
        await CompareCreationAsync(cancellationToken);
        await CompareCountersAsync(contracts, cancellationToken);
    }

    private async Task CompareCodeAsync(CancellationToken cancellationToken)
    {
        foreach (var (name, address) in _rounds.Select(address => ("Rounds", address)).Prepend(("Governance", state.Governance)).Prepend(("Membership", membership)))
        {
            var code = await chain.GetCodeAsync(address, cancellationToken);
            findings.Compare("code", 0, ContractArtifact.Load(name).IsDeployedAs(code), $"{name} at {address} has {code.Length} bytes of code that aren't the release build's");
        }

        findings.Say("code", 0, "Membership, Governance and Rounds are the release build, but for what their constructors set");
        var miswired = await DeployedContracts.WiringDifferenceAsync(chain, membership, state, cancellationToken);
        findings.Compare("wiring", 0, miswired is null, $"{miswired}");
        findings.Say("wiring", 0, $"the three name each other: governance {state.Governance}, rounds {state.RoundsContract}");
    }

    private async Task CompareCreationAsync(CancellationToken cancellationToken)
    {
        if (events.FirstOrDefault(e => e.Event is FederationFounded && e.Emitter == membership) is { Event: FederationFounded founded } founding)
        {
            await CompareCreationAsync(
                "Membership", membership, founding.Transaction, code => MembershipAbi.Constructor.Encode(code, founded.Founders.Cast<object>().ToArray(), founded.Governance, founded.Rounds), cancellationToken);
        }

        if (First<VotingDelaySet>(state.Governance) is { } delay && First<VotingPeriodSet>(state.Governance) is { } period && First<ExecutionDelaySet>(state.Governance) is { } execution)
        {
            await CompareCreationAsync(
                "Governance",
                state.Governance,
                delay.Transaction,
                code => GovernanceAbi.Constructor.Encode(code, membership, ((VotingDelaySet)delay.Event).Seconds, ((VotingPeriodSet)period.Event).Seconds, ((ExecutionDelaySet)execution.Event).Seconds),
                cancellationToken);
        }

        foreach (var address in _rounds)
        {
            if (First<PolicySet>(address) is { Event: PolicySet policy } set)
            {
                await CompareCreationAsync(
                    "Rounds", address, set.Transaction, code => RoundsAbi.Constructor.Encode(code, membership, state.Governance, policy.Json, RoundsAbi.WriteParams(policy.Params), policy.Genesis), cancellationToken);
            }
            else
            {
                findings.Fail(Creation, 0, $"Rounds at {address} has logged no first policy");
            }
        }

        findings.Say(Creation, 0, "each was created by the release build's creation code, with the arguments that the log implies");
    }

    private async Task CompareCreationAsync(string name, Address address, Hash256 hash, Func<byte[], byte[]> inputOf, CancellationToken cancellationToken)
    {
        ChainTransaction? transaction;
        try
        {
            transaction = await chain.GetTransactionAsync(hash, cancellationToken);
        }
        catch (ChainException e) when (!e.IsTransient)
        {
            findings.Unavailable(Creation, 0, $"{name}: the node does not give transaction {hash} ({e.Message})");
            return;
        }

        if (transaction is null)
        {
            findings.Unavailable(Creation, 0, $"{name}: the node no longer has transaction {hash}; another RPC may");
        }
        else if (transaction.To is { } factory)
        {
            findings.Unavailable(Creation, 0, $"{name} was created by the contract {factory} in transaction {hash}, whose input isn't the creation code");
        }
        else
        {
            findings.Compare(Creation, 0, ContractAddress.Create(transaction.From, transaction.Nonce) == address, $"{name} at {address} logged its beginning in transaction {hash}, which created {ContractAddress.Create(transaction.From, transaction.Nonce)}");
            findings.Compare(Creation, 0, transaction.Input.Span.SequenceEqual(inputOf(ContractArtifact.Load(name).Bytecode)), $"{name} was created in transaction {hash} by other code, or with other arguments, than the release build and its log say");
        }
    }

    /// <summary>The first event of a kind by a contract: its constructor's.</summary>
    private ChainEvent? First<T>(Address emitter)
        where T : IContractEvent => events.FirstOrDefault(e => e.Emitter == emitter && e.Event is T);

    /// <summary>
    /// The contract's counters of each member against those that follow from the log, both as of the block up to which the log was read, for time alone
    /// rejects a candidate. A successor of Rounds counts anew.
    /// </summary>
    private async Task CompareCountersAsync(IReadOnlyDictionary<RoundId, Address> contracts, CancellationToken cancellationToken)
    {
        var client = new RoundsClient(chain, state.RoundsContract);
        var rounds = state.Rounds.Where(r => contracts[r.Id] == state.RoundsContract).ToList();
        foreach (var id in state.Seats.Keys)
        {
            MemberView counted;
            try
            {
                counted = await client.GetMemberAsync(id, BlockTag.Number(head.Number), cancellationToken);
            }
            catch (ChainException e) when (!e.IsTransient)
            {
                findings.Unavailable("counters", 0, $"the node does not give the counters as of block {head.Number} ({e.Message})");
                return;
            }

            var derived = MemberCounters.Of(id, rounds, head.Timestamp);
            findings.Compare("counters", 0, counted.Submitted == derived.Submitted, $"member {id} submitted {derived.Submitted} times, the contract counts {counted.Submitted}");
            findings.Compare("counters", 0, counted.Published == derived.Published, $"member {id} published {derived.Published} times, the contract counts {counted.Published}");
            findings.Compare("counters", 0, counted.Rejected == derived.Rejected, $"{derived.Rejected} candidates of member {id} were rejected, the contract counts {counted.Rejected}");
            findings.Compare("counters", 0, counted.Contradicted == derived.Contradicted, $"member {id} voted {derived.Contradicted} times against a candidate that was finalised, the contract counts {counted.Contradicted}");
        }

        findings.Say("counters", 0, $"submissions, publications, rejected candidates and contradicted votes of {state.Seats.Count} members as the contract counts them");
    }
}
