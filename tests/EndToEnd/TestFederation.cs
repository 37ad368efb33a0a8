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
internal sealed partial class TestFederation : IAsyncDisposable
{
    private readonly TemporaryFolder? _folder;
    private readonly HttpClient _http = new();

    private TestFederation(AnvilChain chain, string? folder, LocalTraining training)
    {
        Chain = chain;
        _folder = folder is null ? new TemporaryFolder() : null;
        Home = new DemoHome(folder ?? _folder!["federation"]);
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

    /// <param name="folder">Where the homes go, and stay; null for a folder that is deleted in the end.</param>
    public static async Task<TestFederation> FoundAsync(
        int members, int steps, PolicyParams parameters, Func<Policy, Policy>? change, string? folder, CancellationToken cancellation)
    {
        await NpmPackages.EnsureAsync(Shared.RepositoryRoot, cancellationToken: cancellation);
        var chain = await AnvilChain.StartAsync(new AnvilOptions { RepositoryRoot = Shared.RepositoryRoot }, cancellation);
        var federation = new TestFederation(chain, folder, new LocalTraining { Steps = steps, BatchSize = 2, MaxValidationRecords = 2 });
        try
        {
            await federation.FoundAsync(members, parameters, change, cancellation);
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
        _folder?.Dispose();
    }

    private async Task FoundAsync(int members, PolicyParams parameters, Func<Policy, Policy>? change, CancellationToken cancellation)
    {
        var model = BaseModel.Open(BaseModel.Own);
        var files = SpecialtyCorpora.WriteTo(Home.Data, seed: 1, members);
        var plan = await FoundingPolicy.CreateAsync(model, DemoDefaults.Adapter, default, Training.Steps, parameters, cancellation);
        var plain = plan.Policy with { Encoding = UpdateEncoding.Int32, Rule = new AggregationRule.Mean(Weighting.Uniform) }; // so that what small integers come to can be said beforehand
        plan = plan with { Policy = change is null ? plain : change(plain) };
        Policy = plan.Policy;
        var setup = new DemoSetup(Client, Home, plan, Training, seed: 1, TimeProvider.System);
        Members = await setup.FoundAsync(files, model, _ => { }, cancellation);
        Address = setup.Federation;
        Reader = new FederationReader(Client, setup.Federation, setup.DeploymentBlock, TimeProvider.System);
        using var decoder = CausalLanguageModel.Load(model.Path, ComputeDevice.Cpu);
        Layout = decoder.LayoutFor(plan.Policy.Adapter);
    }
}
