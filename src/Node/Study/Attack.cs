namespace FedChain.Node.Study;

/// <summary>What a dishonest member does to its update.</summary>
public enum AttackKind
{
    /// <summary>Sends the opposite of what it learnt.</summary>
    SignFlip,

    /// <summary>Sends a hundred times what it learnt, as far as the format lets it.</summary>
    Scale,

    /// <summary>Sends noise of ten times its update's root mean square.</summary>
    Noise,

    /// <summary>Learns answers that belong to other questions.</summary>
    LabelFlip,

    /// <summary>Sends what another member sends.</summary>
    Copy,
}

/// <param name="Kind">What they do.</param>
/// <param name="Members">How many do it, the first institutions in the order of a hash of their names.</param>
public sealed record Attack(AttackKind Kind, int Members)
{
    public override string ToString() => $"{Members} x {Kind}";
}
