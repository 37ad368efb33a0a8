using FedChain.Network.Chain;
using FedChain.Node.Chain;
using FedChain.Protocol;

namespace FedChain.Node.Costs;

/// <summary>
/// The gas of the three deployments, computed before anything is sent:
/// <code>
/// 21,000                     a transaction                                    (yellow paper, appendix G)
/// + 32,000                   that creates a contract
/// + 16 or 4 a byte           of data that is not, or is, zero                 (EIP-2028)
/// + 2 per 32 bytes           of data, which all is creation code              (EIP-3860)
/// + 200 a byte               of the code that stays
/// + what the constructor does, measured on the release build
/// </code>
/// A node can be asked for the first one only: the constructor of Rounds calls the other two, which are not there yet, and few nodes pretend that they
/// are. <see cref="FederationCosts"/> asks for that first one, and so notices a chain that charges otherwise.
/// </summary>
/// <param name="Membership">The first deployment.</param>
/// <param name="Governance">The second.</param>
/// <param name="Rounds">The third.</param>
internal sealed record DeploymentGas(ulong Membership, ulong Governance, ulong Rounds)
{
    private const ulong Transaction = 21_000;
    private const ulong Creation = 32_000;
    private const ulong NonZeroByte = 16;
    private const ulong ZeroByte = 4;
    private const ulong CreationWord = 2;
    private const ulong StoredByte = 200;

    // Measured; DeploymentGasTests holds the sums to real receipts.
    private const ulong MembershipConstructor = 98_500;
    private const ulong MembershipFounder = 23_140;
    private const ulong GovernanceConstructor = 99_900;
    private const ulong RoundsConstructor = 115_500;
    private const ulong RoundsJsonByte = 12;

    public ulong Total => Membership + Governance + Rounds;

    public static DeploymentGas Of(FederationPlan plan)
    {
        // Addresses of as many zero bytes as any: which ones they will be depends on the deployer's nonce.
        var unknown = new Address([.. Enumerable.Repeat((byte)0xff, Address.Size)]);
        var data = Deployment.CreationData(ContractArtifact.Code, plan, unknown, unknown, unknown);
        return new DeploymentGas(
            Create("Membership", data.Membership) + MembershipConstructor + ((ulong)plan.Founders.Count * MembershipFounder),
            Create("Governance", data.Governance) + GovernanceConstructor,
            Create("Rounds", data.Rounds) + RoundsConstructor + ((ulong)plan.PolicyJson.Length * RoundsJsonByte));
    }

    private static ulong Create(string name, ReadOnlyMemory<byte> data)
    {
        var zeros = (ulong)data.Span.Count((byte)0);
        var length = (ulong)data.Length;
        return Transaction + Creation + ((length - zeros) * NonZeroByte) + (zeros * ZeroByte) + ((length + 31) / 32 * CreationWord)
            + ((ulong)ContractArtifact.Load(name).DeployedBytecode.Length * StoredByte);
    }
}
