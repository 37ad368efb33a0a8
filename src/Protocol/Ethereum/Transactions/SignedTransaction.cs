namespace FedChain.Protocol.Ethereum.Transactions;

/// <summary>A transaction with its signature: <see cref="Raw"/> is what eth_sendRawTransaction takes.</summary>
public sealed class SignedTransaction
{
    internal SignedTransaction(Transaction transaction, Signature signature, Address sender)
    {
        (Transaction, Signature, Sender) = (transaction, signature, sender);
        Raw = transaction.SerializeSigned(signature);
        Hash = Keccak256.Hash(Raw.Span);
    }

    public Transaction Transaction { get; }

    public Signature Signature { get; }

    public Address Sender { get; }

    public ReadOnlyMemory<byte> Raw { get; }

    /// <summary>The transaction's id.</summary>
    public Hash256 Hash { get; }

    /// <summary>Reads types 0 to 3 and recovers the sender. Rules that need a chain's state or settings (chain id, intrinsic gas, balance) are not looked at.</summary>
    /// <exception cref="FormatException">Not the canonical serialisation of a signed transaction, or one that no chain takes.</exception>
    public static SignedTransaction Decode(ReadOnlyMemory<byte> raw)
    {
        var (transaction, signature) = TransactionReader.Read(raw);
        try
        {
            return new SignedTransaction(transaction, signature, signature.Recover(transaction.SigningHash));
        }
        catch (ArgumentException e)
        {
            throw new FormatException(e.Message, e);
        }
    }
}
