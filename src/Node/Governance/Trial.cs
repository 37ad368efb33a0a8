using FedChain.Network.Chain;
using FedChain.Node.Chain;
using FedChain.Protocol;
using FedChain.Protocol.Ethereum.Contracts;

namespace FedChain.Node.Governance;

/// <summary>Tries a proposal's call as Governance would make it, now and alone, without a transaction.</summary>
internal static class Trial
{
    /// <returns>Why it would fail, as a sentence; null if it would not.</returns>
    public static async Task<string?> RefusalAsync(ChainClient chain, Address governance, ContractCall call, CancellationToken cancellationToken)
    {
        try
        {
            await chain.CallAsync(call.To, call.Data, governance, BlockTag.Pending, cancellationToken);
            return null;
        }
        catch (ChainException e) when (e.Refusal is not null)
        {
            return RefusalText.Of(e.Refusal);
        }
    }
}
