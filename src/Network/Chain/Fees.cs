using System.Numerics;
using FedChain.Protocol.Ethereum;
using FedChain.Protocol.Ethereum.Transactions;

namespace FedChain.Network.Chain;

/// <summary>
/// What to pay for gas (EIP-1559): the node's tip, and at most twice the base fee beside it, enough for six full blocks in a row; never more than a cap.
/// </summary>
/// <param name="Tip">In wei.</param>
/// <param name="Most">Base fee and tip, in wei.</param>
internal readonly record struct Fees(BigInteger Tip, BigInteger Most)
{
    /// <exception cref="ChainException">Not even the base fee is within the cap.</exception>
    public static Fees Of(ChainBlock latest, RpcReply tip, ChainOptions options)
    {
        var (baseFee, suggested) = (latest.BaseFee, tip.Error is null ? RpcJson.Integer(tip.Value) : options.DefaultTip);
        if (baseFee > options.MaxFee)
        {
            throw new ChainException(
                $"Gas costs {EtherAmount.Format(baseFee, EtherAmount.Gwei)} gwei at present, more than the {EtherAmount.Format(options.MaxFee, EtherAmount.Gwei)} gwei that a transaction may pay. It is tried again.")
            { IsTransient = true };
        }

        return new Fees(BigInteger.Min(suggested, options.MaxFee), BigInteger.Min((2 * baseFee) + suggested, options.MaxFee));
    }

    /// <summary>
    /// The same with fees that replace it in every pool: both at least 12.5% higher (geth asks for 10%, others for 12.5%), and at least what is usual now.
    /// </summary>
    /// <returns>Null if that would exceed the cap.</returns>
    public DynamicFeeTransaction? Replace(DynamicFeeTransaction sent, BigInteger cap)
    {
        var least = Raised(sent.MaxFeePerGas);
        return least > cap ? null : sent with
        {
            MaxFeePerGas = BigInteger.Min(cap, BigInteger.Max(least, Most)),
            MaxPriorityFeePerGas = BigInteger.Min(cap, BigInteger.Max(Raised(sent.MaxPriorityFeePerGas), Tip)),
        };
    }

    private static BigInteger Raised(BigInteger fee) => ((fee * 9) + 7) / 8 + 1;
}
