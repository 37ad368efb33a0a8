using System.Numerics;
using FedChain.Protocol;
using FedChain.Protocol.Ethereum.Contracts;

namespace FedChain.Network.Chain;

/// <summary>What a transaction is for. It is sent until the effect is on the chain, and not again when it is.</summary>
/// <param name="To">Null creates a contract.</param>
/// <param name="Data">Calldata or creation code.</param>
/// <param name="Description">For messages.</param>
public sealed record TransactionIntent(Address? To, ReadOnlyMemory<byte> Data, string Description)
{
    /// <summary>In wei.</summary>
    public BigInteger Value { get; init; }

    /// <summary>
    /// What is intended, by a name that no other intention of the account has, as in "round 7: submit". Of two transactions of one name never both take
    /// effect, also across restarts and reorganisations, as long as the sender's <see cref="TransactionJournal"/> is kept. Null: nothing is remembered.
    /// </summary>
    public string? Name { get; init; }

    /// <summary>
    /// Whether the effect is already on the chain: asked before sending, after a refusal, and when another transaction took the nonce. Where there is
    /// neither this nor a <see cref="Name"/>, a transaction that was sent by an earlier run of the program is sent again.
    /// </summary>
    public Func<CancellationToken, Task<bool>>? IsDone { get; init; }

    /// <summary>One of <see cref="Crash.TransactionKinds"/>, or null.</summary>
    public string? Kind { get; init; }

    /// <summary>Instead of an estimate.</summary>
    public ulong? GasLimit { get; init; }

    public static implicit operator TransactionIntent(ContractCall call) => From(call);

    public static TransactionIntent From(ContractCall call) => new(call.To, call.Data, call.Description);

    public static TransactionIntent Transfer(Address to, BigInteger wei) => new(to, ReadOnlyMemory<byte>.Empty, $"transfer {wei} wei to {to}") { Value = wei };
}

/// <summary>How an intent ended.</summary>
public abstract record SendOutcome
{
    private SendOutcome()
    {
    }

    /// <summary>The transaction is in a block and succeeded.</summary>
    public sealed record Included(Receipt Receipt) : SendOutcome;

    /// <summary>The effect was on the chain already; nothing more was sent.</summary>
    public sealed record AlreadyDone : SendOutcome;

    /// <summary>The contract refuses.</summary>
    /// <param name="Refusal">Why.</param>
    /// <param name="Receipt">If it refused on the chain, and thus cost gas; null if the estimate said so and nothing was sent.</param>
    public sealed record Refused(ContractRefusal Refusal, Receipt? Receipt) : SendOutcome;
}
