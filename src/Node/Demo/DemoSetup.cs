using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Numerics;
using System.Security.Cryptography;
using FedChain.Learning.Data;
using FedChain.Network.Chain;
using FedChain.Node.Chain;
using FedChain.Node.Homes;
using FedChain.Node.LocalChain;
using FedChain.Node.Models;
using FedChain.Node.Training;
using FedChain.Protocol;
using FedChain.Protocol.Ethereum;
using FedChain.Protocol.Ethereum.Keys;

namespace FedChain.Node.Demo;

/// <summary>One institution of the demonstration.</summary>
internal sealed record DemoMember(MemberId Id, string Name, string Home, Address Holder, Address Operator, string Endpoint);

/// <summary>Founds the demonstration's federation as its institutions would: homes and keys, deployment, activations.</summary>
internal sealed class DemoSetup(ChainClient client, DemoHome home, FoundingPolicy plan, LocalTraining training, ulong seed, TimeProvider time)
{
    private static readonly BigInteger Funds = BigInteger.Pow(10, 19); // 10 ether, for gas

    private readonly HashSet<int> _ports = [];

    public Address Federation { get; private set; }

    public ulong ChainId { get; private set; }

    public ulong DeploymentBlock { get; private set; }

    /// <summary>Sets how long votes take; as for any federation, if not given.</summary>
    public Func<FederationPlan, FederationPlan> Decide { get; init; } = plan => plan;

    public string Passphrase { get; } = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));

    public async Task<IReadOnlyList<DemoMember>> FoundAsync(IReadOnlyList<string> dataFiles, BaseModel model, Action<string> say, CancellationToken cancellationToken)
    {
        AtomicFile.Write(home.PassphraseFile, System.Text.Encoding.ASCII.GetBytes(Passphrase + "\n"), secret: true);
        ChainId = await client.GetChainIdAsync(cancellationToken);
        var homes = dataFiles.Select((file, i) => MakeHome(file, model)).ToList();
        say($"{homes.Count} homes with keys of their own in {home.Members}");
        var founders = homes.Select((folder, i) => MemberOf(folder, new MemberId((uint)i + 1))).ToList();
        await FundAsync(founders.SelectMany(m => (Address[])[m.Holder, m.Operator]), cancellationToken);

        using var deployerKey = new PrivateKey(Hex.Decode(AnvilChain.DevelopmentKey));
        using var deployer = new TransactionSender(client, deployerKey, ChainId);
        var chainPlan = Decide(plan.ForChain([.. founders.Select(m => m.Holder)]));
        var made = await Deployment.DeployAsync(client, deployer, ContractArtifact.Code, chainPlan, cancellationToken);
        (Federation, DeploymentBlock) = (made.Membership, made.DeploymentBlock);
        say($"federation {Federation} deployed, {made.Receipts.Aggregate(0UL, (sum, r) => sum + r.GasUsed):N0} gas; policy {DemoScreen.Short(plan.Policy.BaseModel.ToString())}, genesis {DemoScreen.Short(plan.Genesis.ToString())}");
        foreach (var (folder, founder) in homes.Zip(founders))
        {
            folder.Save(folder.Settings with { ChainId = ChainId, Federation = Federation });
            await using var session = await ChainSession.OpenAsync(folder, rpc: null, federation: null, time, cancellationToken);
            using var holder = folder.UnlockHolder(Passphrase);
            using var keys = folder.UnlockPeerKeys(Passphrase);
            var receipt = await Founding.ActivateAsync(session, folder, holder, keys, cancellationToken);
            say($"{founder.Name} has activated its seat {founder.Id} ({receipt?.GasUsed:N0} gas)");
        }

        return founders;
    }

    /// <summary>A home for an institution that is no founder, with coins to pay for its application.</summary>
    public async Task<HomeFolder> MakeApplicantAsync(string dataFile, BaseModel model, CancellationToken cancellationToken)
    {
        var folder = MakeHome(dataFile, model);
        folder.Save(folder.Settings with { ChainId = ChainId, Federation = Federation });
        var applicant = MemberOf(folder, default);
        await FundAsync([applicant.Holder, applicant.Operator], cancellationToken);
        return folder;
    }

    public DemoMember MemberOf(HomeFolder folder, MemberId id)
    {
        using var holder = folder.UnlockHolder(Passphrase);
        using var @operator = folder.UnlockOperator(Passphrase);
        return new DemoMember(id, folder.Settings.Name, folder.Path, holder.Address, @operator.Address, folder.Settings.Endpoint);
    }

    private async Task FundAsync(IEnumerable<Address> accounts, CancellationToken cancellationToken)
    {
        using var key = new PrivateKey(Hex.Decode(AnvilChain.DevelopmentKey));
        using var sender = new TransactionSender(client, key, ChainId);
        foreach (var account in accounts)
        {
            await sender.SendOrThrowAsync(TransactionIntent.Transfer(account, Funds), cancellationToken);
        }
    }

    private HomeFolder MakeHome(string dataFile, BaseModel model)
    {
        var name = InstitutionData.NameOf(dataFile);
        var port = FreePort();
        var settings = new HomeSettings
        {
            Name = name,
            Listen = string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{port}"),
            Endpoint = string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{port}"),
            Rpc = [client.Endpoint.ToString()],
            Data = Path.GetFullPath(dataFile),
            Model = model.Path,
            Device = "cpu",
            Threads = 1, // the same bits on every run
            Seed = (seed * 1000) + (ulong)_ports.Count - 1,
            Training = training,
            PollMilliseconds = DemoDefaults.PollMilliseconds,
            AllowPrivateEndpoints = true,
        };
        return HomeFolder.Create(Path.Combine(home.Members, name), settings, Passphrase, KeystoreOptions.Light);
    }

    /// <summary>A port that is free now and that no other home got.</summary>
    private int FreePort()
    {
        while (true)
        {
            using var listener = new TcpListener(IPAddress.Loopback, 0);
            listener.Start();
            if (((IPEndPoint)listener.LocalEndpoint).Port is var port && _ports.Add(port))
            {
                return port;
            }
        }
    }
}
