using System.Diagnostics;
using System.IO.Compression;
using System.Net.Http.Json;
using System.Text.Json;
using FedChain.Network.Chain;
using FedChain.Node.Chain;
using FedChain.Node.LocalChain;
using FedChain.Protocol;
using FedChain.Protocol.Ethereum;
using FedChain.Protocol.Ethereum.Contracts;
using FedChain.Protocol.Ethereum.Transactions;
using FedChain.Protocol.Rounds;

namespace FedChain.Bench;

/// <summary>
/// A chain on anvil with a federation of two that has finalised many rounds, by the contracts' own transactions. Built once; its state lies in a file of
/// the temporary folder from then on. The digests are made up, since the contracts don't see what they are of.
/// </summary>
internal sealed class LongChain : IAsyncDisposable
{
    private const int Members = 2;
    private const int ChainId = 31337;
    private const int PastStates = 4; // each is as large as the chain's state
    private static readonly TimeSpan LoadingLimit = TimeSpan.FromMinutes(10);

    private readonly AnvilChain _anvil;
    private readonly string _copy;

    private LongChain(AnvilChain anvil, Address membership, string copy) => (_anvil, Membership, _copy) = (anvil, membership, copy);

    public Uri RpcUrl => _anvil.RpcUrl;

    public Address Membership { get; }

    public static async Task<LongChain> OpenAsync(int rounds)
    {
        var root = RepositoryRoot();
        await NpmPackages.EnsureAsync(root);
        var file = Path.Combine(Path.GetTempPath(), $"fedchain-bench-{rounds}-rounds.json.gz");
        if (!File.Exists(file))
        {
            await BuildAsync(root, rounds, file);
        }

        var start = Stopwatch.GetTimestamp();
        var copy = Path.Combine(Path.GetTempPath(), $"fedchain-bench-{Environment.ProcessId}.json"); // anvil writes to it when it stops
        await using (var from = new GZipStream(File.OpenRead(file), CompressionMode.Decompress))
        {
            await using var to = File.Create(copy);
            await from.CopyToAsync(to);
        }

        var anvil = await AnvilChain.StartAsync(new AnvilOptions { RepositoryRoot = root, StateFile = copy, PastStates = PastStates, SaveInterval = TimeSpan.FromDays(1), StartLimit = LoadingLimit });
        Console.WriteLine($"{file}: {new FileInfo(file).Length / 1e6:0} MB, {new FileInfo(copy).Length / 1e6:0} MB unpacked, loaded into anvil in {Stopwatch.GetElapsedTime(start).TotalSeconds:0} s");
        return new LongChain(anvil, ContractAddress.Create(Deployer().Address, 0), copy);
    }

    public async ValueTask DisposeAsync()
    {
        await _anvil.DisposeAsync();
        File.Delete(_copy);
    }

    private static PrivateKey Deployer() => new(Hex.Decode(AnvilChain.DevelopmentKey));

    private static PrivateKey Key(int member) => new(Enumerable.Repeat((byte)(member + 1), 32).ToArray());

    private static async Task BuildAsync(string root, int rounds, string file)
    {
        var start = Stopwatch.GetTimestamp();
        await using var anvil = await AnvilChain.StartAsync(new AnvilOptions { RepositoryRoot = root, PastStates = PastStates });
        using var http = new HttpClient { Timeout = TimeSpan.FromMinutes(10) };
        var client = new ChainClient(http, anvil.RpcUrl, new ChainOptions { PollInterval = TimeSpan.FromMilliseconds(20) });
        using var deployer = new TransactionSender(client, Deployer(), ChainId);
        var keys = Enumerable.Range(0, Members).Select(Key).ToList();
        const uint Day = 24 * 3600; // the chain's clock goes on by a second for each block
        var plan = new FederationPlan(
            [.. keys.Select(k => k.Address)], """{"v":1}""", new PolicyParams(Day, Day, Day, Interval: 0, Minimum: 1, MaxTurns: 1, (uint)rounds), Keccak256.Hash("genesis"));
        var federation = await Deployment.DeployAsync(client, deployer, ContractArtifact.Code, plan, default);
        var players = keys.Select((key, i) => new Player(key, new MemberId((uint)i + 1), federation.Rounds, SendAsync)).ToList();
        var membership = new MembershipClient(client, federation.Membership);
        foreach (var player in players)
        {
            await AskAsync("anvil_setBalance", player.Key.Address.ToString(), "0xffffffffffffffffffff");
            await player.SendAsync(membership.Activate($$"""{"name":"{{player.Id}}"}""", player.Key.Address, player.NextCommitment()));
        }

        await AskAsync("evm_setAutomine", false); // its time for a block grows with the chain's state, so a round shares one
        var contract = new RoundsClient(client, federation.Rounds);
        var policy = (await contract.GetPolicyAsync()).Hash;
        var adapter = plan.Genesis;
        for (var n = 1; n <= rounds; n++)
        {
            adapter = await PlayAsync(new RoundId((ulong)n), contract, policy, adapter, players);
            await AskAsync("evm_mine");
            if (n % 1000 == 0)
            {
                Console.WriteLine($"  {n} rounds built after {Stopwatch.GetElapsedTime(start).TotalSeconds:0} s");
            }
        }

        var dump = Hex.Decode((await AskAsync("anvil_dumpState")).GetString()!);
        await File.WriteAllBytesAsync(file + ".new", dump);
        File.Move(file + ".new", file);

        Task SendAsync(ReadOnlyMemory<byte> raw) => AskAsync("eth_sendRawTransaction", Hex.Encode(raw.Span));

        async Task<JsonElement> AskAsync(string method, params object[] parameters)
        {
            using var response = await http.PostAsJsonAsync(anvil.RpcUrl, new { jsonrpc = "2.0", id = 1, method, @params = parameters });
            var answer = await response.Content.ReadFromJsonAsync<JsonElement>();
            return answer.TryGetProperty("result", out var result) ? result : throw new InvalidOperationException($"{method}: {answer}");
        }
    }

    /// <summary>Opens, submits, publishes and attests, for one block; returns the round's aggregate.</summary>
    private static async Task<Hash256> PlayAsync(RoundId round, RoundsClient contract, Hash256 policy, Hash256 adapter, List<Player> players)
    {
        var place = 0UL;
        await players[0].SendAsync(contract.Open(), place++);
        var (set, beacon) = (Hash256.Zero, Hash256.Zero);
        foreach (var player in players)
        {
            var (manifest, secret) = (Keccak256.Hash($"manifest {round} {player.Id}"), player.OpenCommitment());
            await player.SendAsync(contract.Submit(round, policy, adapter, manifest, secret, player.NextCommitment()), place++);
            (set, beacon) = (Preimages.NextSet(set, player.Id, manifest), Preimages.NextBeacon(beacon, round, player.Id, secret));
        }

        var aggregator = TurnOrder.Of(beacon, round, players.Count, maxTurns: 1)[0];
        var (global, aggregate) = (Keccak256.Hash($"global {round}"), Keccak256.Hash($"adapter {round}"));
        await players[aggregator].SendAsync(contract.Publish(round, 0, global, aggregate), place++);
        await players[1 - aggregator].SendAsync(contract.Attest(round, 0, Preimages.Candidate(round, 0, set, global, aggregate), valid: true), place);
        return aggregate;
    }

    private static string RepositoryRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "FedChain.sln")))
            {
                return folder.FullName;
            }
        }

        throw new InvalidOperationException($"{AppContext.BaseDirectory} lies in no clone of the repository.");
    }

    /// <summary>An account that knows its nonce and asks for nothing.</summary>
    private sealed class Player(PrivateKey key, MemberId id, Address rounds, Func<ReadOnlyMemory<byte>, Task> send)
    {
        private ulong _nonce;
        private ulong _commitments;

        public PrivateKey Key => key;

        public MemberId Id => id;

        public Hash256 NextCommitment() => Preimages.Commitment(ChainId, rounds, id, Secret(_commitments++));

        public Hash256 OpenCommitment() => Secret(_commitments - 1);

        /// <param name="call">What it says.</param>
        /// <param name="place">Its place in the block, which is filled by what is bid.</param>
        public Task SendAsync(ContractCall call, ulong place = 0) => send(new DynamicFeeTransaction
        {
            ChainId = ChainId,
            Nonce = _nonce++,
            MaxFeePerGas = 10_000_000_000 - place,
            MaxPriorityFeePerGas = 1,
            GasLimit = 500_000,
            To = call.To,
            Data = call.Data,
        }.Sign(key).Raw);

        private Hash256 Secret(ulong index) => Preimages.Secret(key, ChainId, rounds, id, index);
    }
}
