using FedChain.Protocol.Ethereum.Abi;
using FedChain.Protocol.Ethereum.Contracts;

namespace FedChain.Network.Chain;

/// <summary>Notes with a refusal for the round's phase which call it was and until when the phase lasts, which takes one question to the contract.</summary>
internal static class PhaseRefusals
{
    /// <summary>Any other refusal comes back as it is, and nothing is asked.</summary>
    public static async Task<ContractRefusal> CompleteAsync(ChainClient chain, TransactionIntent intent, ContractRefusal refusal, CancellationToken cancellation)
    {
        if (!refusal.Is(ContractErrors.UnexpectedPhase)
            || intent.To is not { } rounds
            || !Selector.TryRead(intent.Data.Span, out var selector)
            || RoundsAbi.Functions.FirstOrDefault(f => f.Selector == selector) is not { } function)
        {
            return refusal;
        }

        var until = await UntilAsync(new RoundsClient(chain, rounds), refusal, cancellation);
        return refusal with { Call = new RefusedCall(function.Name, (ulong)chain.Time.GetUtcNow().ToUnixTimeSeconds(), until) };
    }

    private static async Task<ulong?> UntilAsync(RoundsClient rounds, ContractRefusal refusal, CancellationToken cancellation)
    {
        try
        {
            var round = await rounds.GetRoundAsync(cancellation);
            var isStillSo = refusal.Arguments.Integer(0) == round.Number.Value && refusal.Arguments.Integer(1) == (byte)round.Phase;
            return isStillSo && round.Until != 0 ? round.Until : null;
        }
        catch (Exception e) when (e is ChainException or FormatException)
        {
            return null; // the refusal is what counts; it is told without the time
        }
    }
}
