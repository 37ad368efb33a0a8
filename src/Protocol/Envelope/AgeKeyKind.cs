namespace FedChain.Protocol.Envelope;

/// <summary>The kinds of key pairs that age files are sealed to. One file has recipients of one kind: the weaker would decide.</summary>
public enum AgeKeyKind
{
    /// <summary>X25519 alone: <c>age1…</c> and <c>AGE-SECRET-KEY-1…</c>. Opened by every age implementation; not safe from a large quantum computer.</summary>
    X25519,

    /// <summary>
    /// ML-KEM-768 and X25519 together: <c>age1pq1…</c> and <c>AGE-SECRET-KEY-PQ-1…</c>. As safe as the stronger of the two. Opened by age from
    /// version 1.3 on.
    /// </summary>
    MlKem768X25519,
}
