using System.Text.Json;
using FedChain.Network.Chain;
using FedChain.Protocol;
using FedChain.Protocol.Ethereum;
using FedChain.Protocol.Ethereum.Contracts;
using FedChain.Tests;

namespace FedChain.Network.Tests.Chain;

/// <summary>The compiled contracts of contracts/release, and federations made from them.</summary>
internal static class Release
{
    public static PolicyParams Params { get; } = new(Training: 60, Publishing: 20, Attesting: 20, Interval: 0, Minimum: 1, MaxTurns: 2, Rounds: 5);

    public static ContractCode Code { get; } = new(Bytecode("Membership"), Bytecode("Governance"), Bytecode("Rounds"));

    public static Task<Federation> DeployAsync(LocalChain chain, params IReadOnlyList<Address> founders) => Deployment.DeployAsync(
        chain.Client, chain.Sender, Code, new FederationPlan(founders, """{"v":1}""", Params, Keccak256.Hash("genesis")) { VotingPeriod = 60 }, TestContext.Current.CancellationToken);

    private static byte[] Bytecode(string name)
    {
        using var json = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(Shared.RepositoryRoot, "contracts", "release", name + ".json")));
        return Hex.Decode(json.RootElement.GetProperty("bytecode").GetString()!);
    }
}
