namespace FedChain.Protocol.Envelope;

/// <summary>Why an age file or its armor was refused.</summary>
public enum AgeFailure
{
    /// <summary>The header breaks the format's rules, or the file ends within it. Also: a share of low order, which no honest sender makes.</summary>
    MalformedHeader,

    /// <summary>The first line names another version of the format than v1.</summary>
    UnsupportedVersion,

    /// <summary>The header exceeds <see cref="AgeFormat.MaxHeaderBytes"/> or <see cref="AgeFormat.MaxStanzas"/>.</summary>
    HeaderTooLarge,

    /// <summary>The header is well formed, but sealed to none of the identities given, or with another passphrase: not for us, and no proof of damage.</summary>
    NoMatchingIdentity,

    /// <summary>The file is sealed with a passphrase (scrypt), and identities were given.</summary>
    PassphraseSealed,

    /// <summary>The file asks for more work than <see cref="AgePassphrase.MaxWorkFactor"/>; none was done.</summary>
    TooMuchWork,

    /// <summary>An identity unwrapped the file key, but the header's MAC does not match: somebody changed the header.</summary>
    HeaderMacMismatch,

    /// <summary>A chunk of the payload does not authenticate, the last chunk is empty, or data follows the last chunk.</summary>
    DamagedPayload,

    /// <summary>The payload ends before its last chunk. What was read up to there is genuine and incomplete.</summary>
    TruncatedPayload,

    /// <summary>The ASCII armor breaks the strict PEM rules.</summary>
    MalformedArmor,
}

/// <summary>
/// The one exception for age files and armor that can't be read. <see cref="Failure"/> tells "not for me"
/// (<see cref="AgeFailure.NoMatchingIdentity"/>) from damage, which is every other value.
/// Failures of the underlying stream pass through unchanged.
/// </summary>
public sealed class AgeException : FormatException
{
    public AgeException(AgeFailure failure, string message)
        : base(message) => Failure = failure;

    public AgeException(AgeFailure failure, string message, Exception innerException)
        : base(message, innerException) => Failure = failure;

    public AgeFailure Failure { get; }
}
