using FedChain.Protocol.Ethereum.Abi;

namespace FedChain.Protocol.Ethereum.Contracts;

/// <summary>Why a contract refused a call: one of the errors of <see cref="ContractErrors"/>, Solidity's own two, or bytes that none of them explains.</summary>
/// <param name="Name">The error's name as in Solidity, or "Unknown".</param>
/// <param name="Error">Null where the bytes are no known error.</param>
/// <param name="Arguments">In the order of the error's parameters.</param>
public sealed record ContractRefusal(string Name, AbiError? Error, AbiValues Arguments)
{
    /// <summary>What is said when a call fails and no reason comes back.</summary>
    public static ContractRefusal WithoutReason { get; } = new("Unknown", null, new AbiValues([]));

    /// <summary>Reads the data of a revert; never throws, since anybody's contract may have written it.</summary>
    public static ContractRefusal Decode(ReadOnlySpan<byte> data)
    {
        if (!Selector.TryRead(data, out var selector))
        {
            return WithoutReason;
        }

        if (ContractErrors.BySelector.TryGetValue(selector, out var error))
        {
            try
            {
                return new(error.Name, error, error.Decode(data));
            }
            catch (FormatException)
            {
                return new($"malformed {error.Name}", null, new AbiValues([data.ToArray()]));
            }
        }

        return new("Unknown", null, new AbiValues([data.ToArray()]));
    }

    /// <summary>The call, if it came in the wrong phase of the round and its sender has noted it.</summary>
    public RefusedCall? Call { get; init; }

    public bool Is(AbiError error) => Error?.Selector == error.Selector;

    /// <summary>E.g. <c>WrongTurn(expected: 1, actual: 0)</c>.</summary>
    public override string ToString() => Error is null
        ? $"{Name}({Arguments})"
        : $"{Name}({string.Join(", ", Error.Inputs.Select((p, i) => $"{p.Name}: {new AbiValues([Arguments[i]])}"))})";
}
