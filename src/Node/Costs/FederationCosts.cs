using System.Globalization;
using System.Numerics;
using FedChain.Network.Chain;
using FedChain.Node.Chain;
using FedChain.Protocol;
using FedChain.Protocol.Ethereum;

namespace FedChain.Node.Costs;

/// <summary>What founding and running a federation costs on a chain, at its present gas price.</summary>
/// <param name="ChainId">Which chain.</param>
/// <param name="Founders">How many founders.</param>
/// <param name="Deployment">The gas of the three deployments.</param>
/// <param name="GasPrice">Wei per gas, now.</param>
/// <param name="NodesEstimate">What the node says that deploying Membership takes; null if it refuses to say.</param>
/// <param name="Refusal">Why it refuses.</param>
internal sealed record FederationCosts(ulong ChainId, int Founders, DeploymentGas Deployment, BigInteger GasPrice, ulong? NodesEstimate, string? Refusal)
{
    private const double Different = 0.1;

    /// <exception cref="ChainException">The chain can't be reached.</exception>
    public static async Task<FederationCosts> AskAsync(ChainClient chain, FederationPlan plan, CancellationToken cancellationToken)
    {
        var chainId = await chain.GetChainIdAsync(cancellationToken);
        var (price, _) = await chain.GetGasPriceAsync(cancellationToken);
        ulong? estimate = null;
        string? refusal = null;
        try
        {
            var somewhere = plan.Founders[0]; // the constructor asks only that it is not zero
            var data = Network.Chain.Deployment.CreationData(ContractArtifact.Code, plan, somewhere, somewhere, somewhere).Membership;
            estimate = await chain.EstimateGasAsync(Address.Zero, to: null, data, value: 0, cancellationToken);
        }
        catch (ChainException e) when (!e.IsTransient)
        {
            refusal = e.Message;
        }

        return new FederationCosts(chainId, plan.Founders.Count, DeploymentGas.Of(plan), price, estimate, refusal);
    }

    /// <summary>An amount of gas at this price, in the chain's coin, to three digits.</summary>
    public string InCoin(ulong gas) => Coins(gas * GasPrice);

    /// <summary>Wei as coins, for people: three significant digits, never more than there are.</summary>
    public static string Coins(BigInteger wei)
    {
        var digits = BigInteger.Abs(wei).ToString(CultureInfo.InvariantCulture).Length;
        var unit = BigInteger.Pow(10, Math.Max(0, digits - 3));
        return EtherAmount.Format(wei / unit * unit, EtherAmount.Ether);
    }

    public object ToJson() => new
    {
        chainId = ChainId,
        founders = Founders,
        gasPriceWei = GasPrice.ToString(CultureInfo.InvariantCulture),
        deployment = new
        {
            membership = Deployment.Membership,
            governance = Deployment.Governance,
            rounds = Deployment.Rounds,
            total = Deployment.Total,
            coins = InCoin(Deployment.Total),
            nodesEstimateOfMembership = NodesEstimate,
        },
        activation = new { gas = GasFigures.Activate, coins = InCoin(GasFigures.Activate) },
        round = new
        {
            gas = GasFigures.WholeRound(Founders),
            coins = InCoin(GasFigures.WholeRound(Founders)),
            mostOfOneMember = GasFigures.MostPerRound,
            coinsOfOneMember = InCoin(GasFigures.MostPerRound),
        },
        governance = new { propose = GasFigures.Propose, vote = GasFigures.Vote, enact = GasFigures.Enact, decision = Decision, coins = InCoin(Decision) },
    };

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"""
        On chain {ChainId}, at {EtherAmount.Format(GasPrice, EtherAmount.Gwei)} gwei a gas now; amounts in the chain's coin:
          deploying, once            {Deployment.Total,12:N0} gas  {InCoin(Deployment.Total),-12} Membership {Deployment.Membership:N0}, Governance {Deployment.Governance:N0}, Rounds {Deployment.Rounds:N0}
          activating a seat          {GasFigures.Activate,12:N0} gas  {InCoin(GasFigures.Activate),-12} once for each of the {Founders} founders' holders
          a round of all {Founders,-3}         {GasFigures.WholeRound(Founders),12:N0} gas  {InCoin(GasFigures.WholeRound(Founders)),-12} by the operators; at most {GasFigures.MostPerRound:N0} gas ({InCoin(GasFigures.MostPerRound)}) by one of them
          a decision by vote         {Decision,12:N0} gas  {InCoin(Decision),-12} proposing {GasFigures.Propose:N0}, {Majority} votes of {GasFigures.Vote:N0}, queueing and executing {GasFigures.Enact:N0}
        {Reservation()}
        """);

    private int Majority => (Founders / 2) + 1;

    private ulong Decision => GasFigures.Propose + ((ulong)Majority * GasFigures.Vote) + GasFigures.Enact;

    private string Reservation() => NodesEstimate switch
    {
        null => $"Careful: the node refuses to estimate the first deployment ({Refusal}) The contracts need a chain with the Cancun instructions, and code of up to 24 KiB.",
        { } asked when Math.Abs((double)asked - Deployment.Membership) > Different * Deployment.Membership => string.Create(CultureInfo.InvariantCulture,
            $"Careful: the node says {asked:N0} gas for Membership. This chain charges otherwise than Ethereum; expect all figures to be {asked / (double)Deployment.Membership:F1} times as high."),
        _ => "The node estimates the same for the first deployment. Rollups add the price of publishing data, which no gas figure shows.",
    };
}
