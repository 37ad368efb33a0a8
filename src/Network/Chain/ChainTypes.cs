using System.Numerics;
using System.Text.Json;
using FedChain.Protocol;

namespace FedChain.Network.Chain;

/// <summary>A block by name or number, as eth_call and others take it.</summary>
public readonly record struct BlockTag
{
    private readonly string? _text;

    private BlockTag(string text) => _text = text;

    public static BlockTag Latest => new("latest");

    /// <summary>The block being made: its time is now, also on an idle chain.</summary>
    public static BlockTag Pending => new("pending");

    public static BlockTag Safe => new("safe");

    public static BlockTag Finalized => new("finalized");

    public static BlockTag Number(ulong number) => new(RpcJson.Quantity(number));

    public override string ToString() => _text ?? "latest";
}

/// <param name="Number">Its height.</param>
/// <param name="Hash">Its identity.</param>
/// <param name="Parent">The hash of the block before it.</param>
/// <param name="Timestamp">Unix seconds.</param>
/// <param name="BaseFee">Wei per gas (EIP-1559).</param>
public sealed record ChainBlock(ulong Number, Hash256 Hash, Hash256 Parent, ulong Timestamp, BigInteger BaseFee)
{
    internal static ChainBlock Read(JsonElement json) => new(
        RpcJson.UInt64(RpcJson.Property(json, "number")),
        RpcJson.Hash(RpcJson.Property(json, "hash")),
        RpcJson.Hash(RpcJson.Property(json, "parentHash")),
        RpcJson.UInt64(RpcJson.Property(json, "timestamp")),
        RpcJson.Has(json, "baseFeePerGas", out var fee) ? RpcJson.Integer(fee) : 0);
}

/// <summary>A log as the node gives it.</summary>
public sealed record ChainLog(
    Address Emitter, IReadOnlyList<Hash256> Topics, ReadOnlyMemory<byte> Data, ulong Block, Hash256 BlockHash, Hash256 Transaction, uint LogIndex)
{
    internal static ChainLog Read(JsonElement json) => new(
        RpcJson.Address(RpcJson.Property(json, "address")),
        [.. RpcJson.List(RpcJson.Property(json, "topics")).Select(RpcJson.Hash)],
        RpcJson.Bytes(RpcJson.Property(json, "data")),
        RpcJson.UInt64(RpcJson.Property(json, "blockNumber")),
        RpcJson.Hash(RpcJson.Property(json, "blockHash")),
        RpcJson.Hash(RpcJson.Property(json, "transactionHash")),
        (uint)RpcJson.UInt64(RpcJson.Property(json, "logIndex")));
}

/// <param name="Transaction">The transaction's hash.</param>
/// <param name="Block">The block's number.</param>
/// <param name="BlockHash">The block's hash.</param>
/// <param name="Succeeded">False if it was included and reverted.</param>
/// <param name="GasUsed">What it used.</param>
/// <param name="GasPrice">Wei per gas that it paid.</param>
/// <param name="Created">The new contract, if it made one.</param>
/// <param name="Logs">In order.</param>
public sealed record Receipt(
    Hash256 Transaction, ulong Block, Hash256 BlockHash, bool Succeeded, ulong GasUsed, BigInteger GasPrice, Address? Created, IReadOnlyList<ChainLog> Logs)
{
    internal static Receipt Read(JsonElement json) => new(
        RpcJson.Hash(RpcJson.Property(json, "transactionHash")),
        RpcJson.UInt64(RpcJson.Property(json, "blockNumber")),
        RpcJson.Hash(RpcJson.Property(json, "blockHash")),
        RpcJson.UInt64(RpcJson.Property(json, "status")) == 1,
        RpcJson.UInt64(RpcJson.Property(json, "gasUsed")),
        RpcJson.Has(json, "effectiveGasPrice", out var price) ? RpcJson.Integer(price) : 0,
        RpcJson.Has(json, "contractAddress", out var created) ? RpcJson.Address(created) : null,
        [.. RpcJson.List(RpcJson.Property(json, "logs")).Select(ChainLog.Read)]);
}

/// <param name="From">Who sent it.</param>
/// <param name="To">The account it went to; null if it created a contract.</param>
/// <param name="Nonce">The sender's.</param>
/// <param name="Input">Calldata; of a creation, the creation code with its arguments.</param>
public sealed record ChainTransaction(Address From, Address? To, ulong Nonce, ReadOnlyMemory<byte> Input)
{
    internal static ChainTransaction Read(JsonElement json) => new(
        RpcJson.Address(RpcJson.Property(json, "from")),
        RpcJson.Has(json, "to", out var to) ? RpcJson.Address(to) : null,
        RpcJson.UInt64(RpcJson.Property(json, "nonce")),
        RpcJson.Bytes(RpcJson.Property(json, "input")));
}

/// <summary>Base fees of past blocks and the next one, and the tips at the asked percentile.</summary>
public sealed record FeeHistory(ulong OldestBlock, IReadOnlyList<BigInteger> BaseFees, IReadOnlyList<BigInteger> Tips);
