namespace FedChain.Protocol.Ethereum;

/// <summary>Where a new contract will be: known before its transaction is sent.</summary>
public static class ContractAddress
{
    /// <summary>CREATE: the last 20 bytes of keccak256(rlp([sender, nonce])) (Yellow Paper, section 7).</summary>
    public static Address Create(Address sender, ulong nonce) =>
        Last20(Keccak256.Hash(Rlp.Encode(RlpItem.List(RlpItem.Of(sender.ToArray()), RlpItem.Of(nonce)))));

    /// <summary>CREATE2: the last 20 bytes of keccak256(0xff | sender | salt | keccak256(init code)) (EIP-1014).</summary>
    public static Address Create2(Address sender, Hash256 salt, ReadOnlySpan<byte> initCode)
    {
        Span<byte> preimage = stackalloc byte[1 + Address.Size + Hash256.Size + Hash256.Size];
        preimage[0] = 0xff;
        sender.ToArray().CopyTo(preimage[1..]);
        salt.CopyTo(preimage[(1 + Address.Size)..]);
        Keccak256.Hash(initCode).CopyTo(preimage[(1 + Address.Size + Hash256.Size)..]);
        return Last20(Keccak256.Hash(preimage));
    }

    private static Address Last20(Hash256 hash) => new(hash.ToArray().AsSpan(12));
}
