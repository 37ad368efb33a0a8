namespace FedChain.Protocol.Ethereum.Contracts;

/// <summary>An event of FedChain's contracts, decoded. Names and fields are the Solidity interfaces'; times are Unix seconds.</summary>
public interface IContractEvent;

/// <summary>An event and where it stands in the chain.</summary>
/// <param name="Event">The decoded event.</param>
/// <param name="Emitter">The contract that emitted it.</param>
/// <param name="Block">The block's number.</param>
/// <param name="BlockHash">The block's hash, which tells branches apart after a reorganisation.</param>
/// <param name="Transaction">The transaction's hash.</param>
/// <param name="LogIndex">Its place among the block's logs.</param>
public sealed record ChainEvent(IContractEvent Event, Address Emitter, ulong Block, Hash256 BlockHash, Hash256 Transaction, uint LogIndex);
