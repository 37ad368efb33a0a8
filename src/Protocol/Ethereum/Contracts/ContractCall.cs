using FedChain.Protocol.Ethereum.Abi;

namespace FedChain.Protocol.Ethereum.Contracts;

/// <summary>A call ready to be sent, voted on or tried: the contract, the calldata, and what it says to people.</summary>
/// <param name="To">The contract.</param>
/// <param name="Data">Selector and arguments.</param>
/// <param name="Description">Function and arguments, for logs and messages.</param>
public sealed record ContractCall(Address To, ReadOnlyMemory<byte> Data, string Description)
{
    /// <exception cref="ArgumentException">The arguments do not fit the function.</exception>
    public static ContractCall Of(Address to, AbiFunction function, params IReadOnlyList<object> arguments)
    {
        var data = function.Encode(arguments);
        return new(to, data, $"{function.Name}({function.DecodeInput(data)})");
    }
}
