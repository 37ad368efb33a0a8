using FedChain.Protocol;
using FedChain.Protocol.Files;

namespace FedChain.Aggregator;

/// <summary>Why an update is invalid. Each can be proved to anybody who has the chain, the manifest and the file's bytes.</summary>
public enum UpdateRefusal
{
    /// <summary>The file's SHA-256 is not the manifest's <c>plaintext</c>.</summary>
    WrongPlaintext,

    /// <summary>Not a canonical update file.</summary>
    Malformed,

    /// <summary>Of another chain or another Rounds contract.</summary>
    WrongChain,

    /// <summary>Of another round.</summary>
    WrongRound,

    /// <summary>It names another member than the one that submitted it.</summary>
    WrongMember,

    /// <summary>Made under another policy.</summary>
    WrongPolicy,

    /// <summary>Made from another base.</summary>
    WrongBase,

    /// <summary>Written in another encoding than the policy's.</summary>
    WrongEncoding,

    /// <summary>Other tensors than the round's factors of the federation's layout.</summary>
    WrongLayout,

    /// <summary>It claims more samples than the policy's local work allows.</summary>
    TooManySamples,

    /// <summary>It claims more weight than the policy's cap.</summary>
    WeightOverCap,

    /// <summary>A difference beyond ±(2^24 - 2).</summary>
    DifferenceOutOfRange,

    /// <summary>A difference that takes the base's value out of the adapter's range.</summary>
    ResultOutOfRange,
}

/// <summary>An update that has passed every check; only <see cref="UpdateValidator"/> makes one, and only these are aggregated.</summary>
public sealed class ValidUpdate
{
    internal ValidUpdate(UpdateHeader header, DifferenceReader differences, RoundTerms terms, long weight) =>
        (Header, Differences, Terms, Weight) = (header, differences, terms, weight);

    public UpdateHeader Header { get; }

    public MemberId Member => Header.Metadata.Member;

    /// <summary>What it weighs under the policy, before a fair rule.</summary>
    public long Weight { get; }

    internal DifferenceReader Differences { get; }

    internal RoundTerms Terms { get; }
}

/// <summary>What came of validating an update.</summary>
public abstract record UpdateVerdict
{
    private UpdateVerdict()
    {
    }

    /// <summary>It may be held and aggregated.</summary>
    public sealed record Accepted(ValidUpdate Update) : UpdateVerdict;

    /// <summary>It is invalid.</summary>
    /// <param name="Reason">The rule that it breaks.</param>
    /// <param name="Detail">What was expected and what came, for people.</param>
    public sealed record Refused(UpdateRefusal Reason, string Detail) : UpdateVerdict;
}
