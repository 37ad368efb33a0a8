using System.Collections.Concurrent;
using FedChain.Protocol;
using FedChain.Protocol.Ethereum;
using FedChain.Protocol.Ethereum.Contracts;

namespace FedChain.Network.Tests.Differential;

/// <summary>What a sequence starts with: how many founders, and the first policy. The successor of Rounds that lies ready has the same terms.</summary>
internal sealed record Founding(int Founders, PolicyParams Params)
{
    public IReadOnlyList<Address> Holders => [.. Enumerable.Range(1, Founders).Select(id => Scene.Account($"holder {id}"))];
}

/// <summary>
/// The stage that every sequence plays on: the same chain, contracts, accounts and first second, so that a sequence is the same bytes wherever it runs.
/// </summary>
internal static class Scene
{
    public const ulong ChainId = 31337;

    /// <summary>The deployment's second: so late that no time fits 32 bits.</summary>
    public const ulong Start = 1UL << 32;

    public const string FoundingJson = """{"policy":1}""";

    public const string SuccessorJson = """{"policy":"of the successor"}""";

    private static readonly ConcurrentDictionary<string, PrivateKey> Keys = new();
    private static readonly ConcurrentDictionary<Address, string> Names = new();

    /// <summary>The first account of a test node. Each sequence finds it with nonce 0.</summary>
    public static Address Deployer { get; } = Address.Parse("0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266");

    public static Address Membership { get; } = Contract("membership", 0);

    public static Address Governance { get; } = Contract("governance", 1);

    public static Address Rounds { get; } = Contract("rounds", 2);

    /// <summary>Another Rounds, deployed with the others, which a vote can put in the place of the first.</summary>
    public static Address Successor { get; } = Contract("successor", 3);

    public static Hash256 Genesis { get; } = Keccak256.Hash("genesis");

    public static Hash256 SuccessorGenesis { get; } = Keccak256.Hash("genesis of the successor");

    /// <summary>By name: the contracts, "nobody" (the zero address), or anything else, which names a key of its own: "holder 2", "operator 2", "outsider".</summary>
    public static Address Account(string name) => name switch
    {
        "nobody" => Address.Zero,
        "membership" => Membership,
        "governance" => Governance,
        "rounds" => Rounds,
        "successor" => Successor,
        _ => KeyOf(name).Address,
    };

    public static PrivateKey KeyOf(string name) => Keys.GetOrAdd(name, n =>
    {
        var key = new PrivateKey(Keccak256.Hash($"account {n}").ToArray());
        Names[key.Address] = n;
        return key;
    });

    /// <summary>The name of an address; itself if it has none.</summary>
    public static string NameOf(Address address) => address.IsZero ? "nobody" : Names.GetValueOrDefault(address, address.ToString());

    private static Address Contract(string name, ulong nonce)
    {
        var address = ContractAddress.Create(Deployer, nonce);
        Names[address] = name;
        return address;
    }
}
