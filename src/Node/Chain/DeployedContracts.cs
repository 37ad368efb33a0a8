using FedChain.Network.Chain;
using FedChain.Protocol;
using FedChain.Protocol.Rounds;

namespace FedChain.Node.Chain;

/// <summary>What lies at a federation's three addresses, held against the release build and against each other. Empty where all is as it should be.</summary>
internal static class DeployedContracts
{
    public static async Task<IReadOnlyList<string>> CodeDifferencesAsync(ChainClient chain, Address membership, FederationState state, CancellationToken cancellationToken)
    {
        var differences = new List<string>();
        foreach (var (name, address) in new[] { ("Membership", membership), ("Governance", state.Governance), ("Rounds", state.RoundsContract) })
        {
            var code = await chain.GetCodeAsync(address, cancellationToken);
            if (!ContractArtifact.Load(name).IsDeployedAs(code))
            {
                differences.Add($"{name} at {address} has {code.Length} bytes of code that aren't the release build's");
            }
        }

        return differences;
    }

    public static async Task<string?> WiringDifferenceAsync(ChainClient chain, Address membership, FederationState state, CancellationToken cancellationToken)
    {
        var rounds = new RoundsClient(chain, state.RoundsContract);
        var governance = new GovernanceClient(chain, state.Governance);
        var named = (await rounds.GetMembershipAsync(cancellationToken), await rounds.GetGovernanceAsync(cancellationToken), await governance.GetMembershipAsync(cancellationToken));
        return named == (membership, state.Governance, membership) ? null
            : $"Rounds and Governance name {named}, not Membership {membership} and Governance {state.Governance}";
    }
}
