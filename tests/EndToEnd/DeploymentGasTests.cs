using System.Net.Http.Json;
using System.Text.Json;
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
        var cancellation = TestContext.Current.CancellationToken;
        await using var scene = await Scene.StartAsync(cancellation);
        var holders = Enumerable.Range(1, founders).Select(i => new Address(Keccak256.Hash($"founder {i}").ToArray().AsSpan(12)));
        var plan = Plan([.. holders], targets);
        var made = await Deployment.DeployAsync(scene.Client, scene.Sender, ContractArtifact.Code, plan, cancellation);
        var estimate = DeploymentGas.Of(plan);
        Near(made.Receipts[0].GasUsed, estimate.Membership);
        Near(made.Receipts[1].GasUsed, estimate.Governance);
        Near(made.Receipts[2].GasUsed, estimate.Rounds);
    }

    [Fact]
    public async Task An_activation_costs_what_the_snapshot_says()
    {
        var cancellation = TestContext.Current.CancellationToken;
        await using var scene = await Scene.StartAsync(cancellation);
        var keys = Enumerable.Range(1, 3).Select(i => new PrivateKey(Keccak256.Hash($"key {i}").ToArray())).ToList();
        var made = await Deployment.DeployAsync(scene.Client, scene.Sender, ContractArtifact.Code, Plan([.. keys.Select(k => k.Address)], 7), cancellation);
        var membership = new MembershipClient(scene.Client, made.Membership);
        var profile = new Profile(
            "St. Anna", ["age15nsf9y4k28p83wth93tf7hafhvfajp45d2mge80ems45gz0c5gys3me64l"], ["https://fedchain.st-anna.example"], Keccak256.Hash("model"), Keccak256.Hash("adapter"));
        await scene.SecondsBetweenBlocksAsync(1); // checkpoints of the same time would share a slot
        var gas = new List<ulong>();
        foreach (var key in keys)
        {
            await scene.Sender.SendOrThrowAsync(TransactionIntent.Transfer(key.Address, 1_000_000_000_000_000_000), cancellation);
            using var holder = new TransactionSender(scene.Client, key, scene.Sender.ChainId);
            var operatorAddress = new Address(Keccak256.Hash($"operator of {key.Address}").ToArray().AsSpan(12));
            gas.Add((await holder.SendOrThrowAsync(membership.Activate(System.Text.Encoding.UTF8.GetString(profile.ToBytes()), operatorAddress, Keccak256.Hash("secret")), cancellation)).GasUsed);
            key.Dispose();
        }

        Near(gas[1], GasFigures.Activate);
        Near(gas[2], GasFigures.Activate);
    }

    [Fact]
    public async Task The_estimate_needs_no_home_and_sends_nothing()
    {
        var cancellation = TestContext.Current.CancellationToken;
        await using var scene = await Scene.StartAsync(cancellation);
        string[] estimate = ["deploy", "--estimate", "4", "--rpc", scene.Client.Endpoint.ToString()];
        var outcome = await Fedchain.RunAsync([.. estimate, "--json"]);
        Assert.True(outcome.ExitCode == 0, outcome.ToString());
        var json = JsonDocument.Parse(outcome.Output).RootElement;
        var membership = json.GetProperty("deployment").GetProperty("membership").GetUInt64();
        Near(json.GetProperty("deployment").GetProperty("nodesEstimateOfMembership").GetUInt64(), membership);
        Assert.Equal(GasFigures.WholeRound(4), json.GetProperty("round").GetProperty("gas").GetUInt64());
        Assert.Equal(0UL, await scene.Client.GetBlockNumberAsync(cancellation));
        var text = await Fedchain.RunAsync(estimate);
        Assert.Contains(membership.ToString("N0", System.Globalization.CultureInfo.InvariantCulture), text.Output, StringComparison.Ordinal);
        Assert.Contains("The node estimates the same", text.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_an_estimate_or_a_deployment_lacks_is_said()
    {
        const string Nowhere = "http://127.0.0.1:9/";
        await RefusedAsync("--estimate NUMBER", "--estimate", "--rpc", Nowhere);
        await RefusedAsync("from 1 to 500; got 0", "--estimate", "0", "--rpc", Nowhere);
        await RefusedAsync("--rpc URL", "--estimate", "2");
        await RefusedAsync("Whose key pays?", "--rpc", Nowhere);

        static async Task RefusedAsync(string sentence, params string[] options)
        {
            var outcome = await Fedchain.RunAsync(["deploy", .. options]);
            Assert.True(outcome.ExitCode == 1, outcome.ToString());
            Assert.Contains(sentence, outcome.Errors, StringComparison.Ordinal);
        }
    }

    private static FederationPlan Plan(IReadOnlyList<Address> holders, int targets)
    {
        var policy = new Policy
        {
            BaseModel = Keccak256.Hash("model"),
            Adapter = new AdapterConfig(8, 16, DemoDefaults.Adapter.Targets.Take(targets)),
            Seed = Keccak256.Hash("seed"),
            Work = new LocalWork(1000, 1L << 30),
        };
        return new FederationPlan(holders, policy.ToString(), DemoDefaults.Params(20), Keccak256.Hash("genesis"));
    }

    private static void Near(ulong used, ulong estimated) =>
        Assert.True(Math.Abs((double)estimated - used) <= Tolerance * used, $"used {used:N0}, estimated {estimated:N0}: measure again (DeploymentGas, snapshots)");

    /// <summary>A chain and an account that can pay.</summary>
    private sealed class Scene(AnvilChain chain, HttpClient http, ChainClient client, PrivateKey key, TransactionSender sender) : IAsyncDisposable
    {
        public ChainClient Client => client;

        public TransactionSender Sender => sender;

        public static async Task<Scene> StartAsync(CancellationToken cancellation)
        {
            Assert.SkipUnless(NpmPackages.IsNpmAvailable(), "npm is missing, and the local chain comes from an npm package.");
            await NpmPackages.EnsureAsync(Shared.RepositoryRoot, cancellationToken: cancellation);
            var chain = await AnvilChain.StartAsync(new AnvilOptions { RepositoryRoot = Shared.RepositoryRoot }, cancellation);
            var http = new HttpClient();
            var client = new ChainClient(http, chain.RpcUrl, DemoDefaults.Chain, TimeProvider.System);
            var key = new PrivateKey(Hex.Decode(AnvilChain.DevelopmentKey));
            return new Scene(chain, http, client, key, new TransactionSender(client, key, await client.GetChainIdAsync(cancellation)));
        }

        public async Task SecondsBetweenBlocksAsync(int seconds)
        {
            using var answer = await http.PostAsJsonAsync(
                chain.RpcUrl, new { jsonrpc = "2.0", id = 1, method = "anvil_setBlockTimestampInterval", @params = new[] { seconds } }, TestContext.Current.CancellationToken);
            answer.EnsureSuccessStatusCode();
        }

        public async ValueTask DisposeAsync()
        {
            sender.Dispose();
            key.Dispose();
            http.Dispose();
            await chain.DisposeAsync();
        }
    }
}
