using System.Numerics;
using FedChain.Protocol.Ethereum.Abi;

namespace FedChain.Protocol.Ethereum.Contracts;

/// <summary>A proposal's id: keccak256(abi.encode(targets, values, calldatas, keccak256(description))), as an integer.</summary>
public readonly record struct ProposalId(Hash256 Hash)
{
    public BigInteger ToInteger() => new Word(Hash).ToUnsigned();

    public static ProposalId From(BigInteger value) => new(Word.FromUnsigned(value).Bits);

    public override string ToString() => Hash.ToString();
}

/// <summary>Calls that a vote executes, with its description: together they are the proposal's identity.</summary>
public sealed record Proposal(IReadOnlyList<ContractCall> Calls, string Description)
{
    private static readonly AbiType[] Types = [AbiType.Parse("address[]"), AbiType.Parse("uint256[]"), AbiType.Parse("bytes[]"), AbiType.Parse("bytes32")];

    public Hash256 DescriptionHash => Keccak256.Hash(Description);

    public ProposalId Id => new(Keccak256.Hash(AbiEncoder.Encode(Types, [Targets, Values, Calldatas, DescriptionHash])));

    internal object Targets => Calls.Select(c => (object)c.To).ToArray();

    internal object Values => Calls.Select(_ => (object)BigInteger.Zero).ToArray();

    internal object Calldatas => Calls.Select(c => (object)c.Data).ToArray();

    public ContractCall Propose(Address governance) => ContractCall.Of(governance, GovernanceAbi.Propose, Targets, Values, Calldatas, Description);

    public ContractCall Queue(Address governance) => ContractCall.Of(governance, GovernanceAbi.Queue, Targets, Values, Calldatas, DescriptionHash);

    public ContractCall Execute(Address governance) => ContractCall.Of(governance, GovernanceAbi.Execute, Targets, Values, Calldatas, DescriptionHash);

    public ContractCall Cancel(Address governance) => ContractCall.Of(governance, GovernanceAbi.Cancel, Targets, Values, Calldatas, DescriptionHash);
}
