using FedChain.Network.Chain;
using FedChain.Node.Chain;
using FedChain.Node.Costs;
using FedChain.Node.Demo;
using FedChain.Node.LocalChain;
using FedChain.Protocol;
using FedChain.Protocol.Ethereum;
using FedChain.Protocol.Files;
using FedChain.Protocol.Manifests;
using FedChain.Tests;

namespace FedChain.EndToEnd.Tests;

/// <summary>The estimates against what a real chain charges.</summary>
public sealed class DeploymentGasTests
{
    private const double Tolerance = 0.02;

    [Theory]
    [InlineData(1, 2)]
    [InlineData(4, 7)]
    [InlineData(16, 7)]
    public async Task What_is_estimated_is_what_deploying_costs(int founders, int targets)
    {
        Assert.SkipUnless(NpmPackages.IsNpmAvailable(), "npm is missing, and the local chain comes from an npm package.");
        var cancellation = TestContext.Current.CancellationToken;
        await NpmPackages.EnsureAsync(Shared.RepositoryRoot, cancellationToken: cancellation);
        await using var chain = await AnvilChain.StartAsync(new AnvilOptions { RepositoryRoot = Shared.RepositoryRoot }, cancellation);
        using var http = new HttpClient();
        var client = new ChainClient(http, chain.RpcUrl, DemoDefaults.Chain, TimeProvider.System);
        using var key = new PrivateKey(Hex.Decode(AnvilChain.DevelopmentKey));
        using var sender = new TransactionSender(client, key, await client.GetChainIdAsync(cancellation));
        var policy = new Policy
        {
            BaseModel = Keccak256.Hash("model"),
            Adapter = new AdapterConfig(8, 16, DemoDefaults.Adapter.Targets.Take(targets)),
            Seed = Keccak256.Hash("seed"),
            Work = new LocalWork(1000, 1L << 30),
        };
        var holders = Enumerable.Range(1, founders).Select(i => new Address(Keccak256.Hash($"founder {i}").ToArray().AsSpan(12)));
        var plan = new FederationPlan([.. holders], policy.ToString(), DemoDefaults.Params(20), Keccak256.Hash("genesis"));

        var made = await Deployment.DeployAsync(client, sender, ContractArtifact.Code, plan, cancellation);
        var estimate = DeploymentGas.Of(plan);
        Near(made.Receipts[0].GasUsed, estimate.Membership);
        Near(made.Receipts[1].GasUsed, estimate.Governance);
        Near(made.Receipts[2].GasUsed, estimate.Rounds);
    }

    private static void Near(ulong used, ulong estimated) =>
        Assert.True(Math.Abs((double)estimated - used) <= Tolerance * used, $"used {used:N0}, estimated {estimated:N0}: measure the constructors again (DeploymentGas)");
}
