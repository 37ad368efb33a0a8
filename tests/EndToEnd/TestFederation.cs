using FedChain.Learning;
using FedChain.Learning.Data.Generated;
using FedChain.Network.Chain;
using FedChain.Node.Demo;
using FedChain.Node.Homes;
using FedChain.Node.LocalChain;
using FedChain.Node.Models;
using FedChain.Node.Training;
using FedChain.Protocol.Ethereum.Contracts;
using FedChain.Protocol.Files;
using FedChain.Protocol.Manifests;
using FedChain.Tests;

namespace FedChain.EndToEnd.Tests;

/// <summary>A founded federation on a chain of its own, with a home for each member; the peers are the test's to start.</summary>
internal sealed class TestFederation : IAsyncDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly HttpClient _http = new();

    private TestFederation(AnvilChain chain, LocalTraining training)
    {
        Chain = chain;
        Home = new DemoHome(_folder["federation"]);
        Client = new ChainClient(_http, chain.RpcUrl, DemoDefaults.Chain, TimeProvider.System);
        Training = training;
    }

    public AnvilChain Chain { get; }

    public ChainClient Client { get; }

    public DemoHome Home { get; }

    public LocalTraining Training { get; }

    public IReadOnlyList<DemoMember> Members { get; private set; } = [];

    /// <summary>Names and shapes of the adapter that the policy asks for.</summary>
    public AdapterLayout Layout { get; private set; } = null!;

    /// <summary>What it was founded with.</summary>
    public Policy Policy { get; private set; } = null!;

    public FederationReader Reader { get; private set; } = null!;

    public string Passphrase => File.ReadAllText(Home.PassphraseFile).Trim();

    public Protocol.Address Address { get; private set; }

    public static async Task<TestFederation> FoundAsync(int members, int rounds, int steps, PolicyParams? parameters = null, Func<Policy, Policy>? change = null)
    {
        Assert.SkipUnless(NpmPackages.IsNpmAvailable(), "npm is missing, and the local chain comes from an npm package.");
        var cancellation = TestContext.Current.CancellationToken;
        await NpmPackages.EnsureAsync(Shared.RepositoryRoot, cancellationToken: cancellation);
        var chain = await AnvilChain.StartAsync(new AnvilOptions { RepositoryRoot = Shared.RepositoryRoot }, cancellation);
        var federation = new TestFederation(chain, new LocalTraining { Steps = steps, BatchSize = 2, MaxValidationRecords = 2 });
        try
        {
            await federation.FoundAsync(members, parameters ?? DemoDefaults.Params(rounds), change, cancellation);
            return federation;
        }
        catch
        {
            await federation.DisposeAsync();
            throw;
        }
    }

    public HomeFolder HomeOf(int member) => HomeFolder.Open(Members[member].Home);

    public async ValueTask DisposeAsync()
    {
        await Chain.DisposeAsync();
        _http.Dispose();
        _folder.Dispose();
    }

    private async Task FoundAsync(int members, PolicyParams parameters, Func<Policy, Policy>? change, CancellationToken cancellation)
    {
        var model = BaseModel.Open(BaseModel.Own);
        var files = SpecialtyCorpora.WriteTo(Home.Data, seed: 1, members);
        var plan = await FoundingPolicy.CreateAsync(model, DemoDefaults.Adapter, default, Training.Steps, parameters, cancellation);
        plan = change is null ? plan : plan with { Policy = change(plan.Policy) };
        Policy = plan.Policy;
        var setup = new DemoSetup(Client, Home, plan, Training, seed: 1, TimeProvider.System);
        Members = await setup.FoundAsync(files, model, _ => { }, cancellation);
        Address = setup.Federation;
        Reader = new FederationReader(Client, setup.Federation, setup.DeploymentBlock, TimeProvider.System);
        using var decoder = CausalLanguageModel.Load(model.Path, ComputeDevice.Cpu);
        Layout = decoder.LayoutFor(plan.Policy.Adapter);
    }
}
