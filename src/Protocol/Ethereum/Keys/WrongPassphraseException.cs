namespace FedChain.Protocol.Ethereum.Keys;

/// <summary>The file is well-formed and its message authentication code does not match: the passphrase is wrong, or the file was altered.</summary>
public sealed class WrongPassphraseException : Exception
{
    public WrongPassphraseException()
        : this("The passphrase does not open this key file. Check the passphrase; if it is certainly right, the file was damaged: restore it from a backup.")
    {
    }

    public WrongPassphraseException(string message)
        : base(message)
    {
    }

    public WrongPassphraseException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
