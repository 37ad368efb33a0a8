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

    public Address Federation { get; private set; }

    public ulong ChainId { get; private set; }

    public ulong DeploymentBlock { get; private set; }

    public async Task<IReadOnlyList<DemoMember>> FoundAsync(IReadOnlyList<string> dataFiles, BaseModel model, Action<string> say, CancellationToken cancellationToken)
    {
        var passphrase = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));
        AtomicFile.Write(home.PassphraseFile, System.Text.Encoding.ASCII.GetBytes(passphrase + "\n"), secret: true);
        var ports = FreePorts(dataFiles.Count);
        var homes = dataFiles.Select((file, i) => MakeHome(file, i, ports[i], model, passphrase)).ToList();
        say($"{homes.Count} homes with keys of their own in {home.Members}");

        ChainId = await client.GetChainIdAsync(cancellationToken);
        using var deployerKey = new PrivateKey(Hex.Decode(AnvilChain.DevelopmentKey));
        using var deployer = new TransactionSender(client, deployerKey, ChainId);
        var holders = homes.Select(h => h.UnlockHolder(passphrase)).ToList();
        var keys = homes.Select(h => h.UnlockPeerKeys(passphrase)).ToList();
        var members = new List<DemoMember>();
        try
        {
            foreach (var key in holders.Concat(keys.Select(k => k.Operator)))
            {
                await deployer.SendOrThrowAsync(TransactionIntent.Transfer(key.Address, Funds), cancellationToken);
            }

            var made = await Deployment.DeployAsync(client, deployer, ContractArtifact.Code, plan.ForChain([.. holders.Select(k => k.Address)]), cancellationToken);
            (Federation, DeploymentBlock) = (made.Membership, made.DeploymentBlock);
            say($"federation {Federation} deployed, {made.Receipts.Aggregate(0UL, (sum, r) => sum + r.GasUsed):N0} gas; policy {DemoScreen.Short(plan.Policy.BaseModel.ToString())}, genesis {DemoScreen.Short(plan.Genesis.ToString())}");
            for (var i = 0; i < homes.Count; i++)
            {
                homes[i].Save(homes[i].Settings with { ChainId = ChainId, Federation = Federation });
                await using var session = await ChainSession.OpenAsync(homes[i], rpc: null, federation: null, time, cancellationToken);
                var receipt = await Founding.ActivateAsync(session, homes[i], holders[i], keys[i], cancellationToken);
                var settings = homes[i].Settings;
                members.Add(new DemoMember(new MemberId((uint)i + 1), settings.Name, homes[i].Path, holders[i].Address, keys[i].Operator.Address, settings.Endpoint));
                say($"{settings.Name} has activated its seat {i + 1} ({receipt?.GasUsed:N0} gas)");
            }
        }
        finally
        {
            holders.ForEach(k => k.Dispose());
            keys.ForEach(k => k.Dispose());
        }

        return members;
    }

    private HomeFolder MakeHome(string dataFile, int index, int port, BaseModel model, string passphrase)
    {
        var name = InstitutionData.NameOf(dataFile);
        var settings = new HomeSettings
        {
            Name = name,
            Listen = string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{port}"),
            Endpoint = string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{port}"),
            Rpc = client.Endpoint.ToString(),
            Data = Path.GetFullPath(dataFile),
            Model = model.Path,
            Device = "cpu",
            Threads = 1, // the same bits on every run
            Seed = (seed * 1000) + (ulong)index,
            Training = training,
            PollMilliseconds = DemoDefaults.PollMilliseconds,
            AllowPrivateEndpoints = true,
        };
        return HomeFolder.Create(Path.Combine(home.Members, name), settings, passphrase, KeystoreOptions.Light);
    }

    /// <summary>Ports that are free now; all are held until the last is found, so that they differ.</summary>
    private static List<int> FreePorts(int count)
    {
        var listeners = Enumerable.Range(0, count).Select(_ => new TcpListener(IPAddress.Loopback, 0)).ToList();
        try
        {
            listeners.ForEach(l => l.Start());
            return [.. listeners.Select(l => ((IPEndPoint)l.LocalEndpoint).Port)];
        }
        finally
        {
            listeners.ForEach(l => l.Dispose());
        }
    }
}
