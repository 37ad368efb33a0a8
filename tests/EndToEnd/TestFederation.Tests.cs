using FedChain.Node.Demo;
using FedChain.Node.LocalChain;
using FedChain.Protocol.Ethereum.Contracts;
using FedChain.Protocol.Manifests;

namespace FedChain.EndToEnd.Tests;

internal sealed partial class TestFederation
{
    /// <summary>For a test, which is skipped where there can be no local chain.</summary>
    public static Task<TestFederation> FoundAsync(int members, int rounds, int steps, PolicyParams? parameters = null, Func<Policy, Policy>? change = null)
    {
        Assert.SkipUnless(NpmPackages.IsNpmAvailable(), "npm is missing, and the local chain comes from an npm package.");
        return FoundAsync(members, steps, parameters ?? DemoDefaults.Params(rounds), change, folder: null, TestContext.Current.CancellationToken);
    }
}
