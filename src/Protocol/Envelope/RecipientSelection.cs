namespace FedChain.Protocol.Envelope;

/// <summary>Why an entry of a reader's list can't be sealed to, or isn't sealed to again.</summary>
public enum RecipientRefusal
{
    /// <summary>It is no age recipient of a kind that is known here.</summary>
    Unparsable,

    /// <summary>Its X25519 key is a point of low order: nothing sealed to it would be secret.</summary>
    LowOrder,

    /// <summary>Its ML-KEM key fails FIPS 203's modulus check.</summary>
    NotReduced,

    /// <summary>An earlier entry is the same recipient.</summary>
    Duplicate,

    /// <summary>Its list has <see cref="RecipientSelection.MaxPerProfile"/> usable recipients of its kind before it.</summary>
    BeyondLimit,
}

/// <summary>An entry that is skipped.</summary>
/// <param name="Profile">The index of its reader among those given.</param>
/// <param name="Text">The entry as the list has it.</param>
/// <param name="Refusal">Why.</param>
public sealed record SkippedRecipient(int Profile, string Text, RecipientRefusal Refusal);

/// <summary>
/// Whom to seal to, given the lists of those entitled: the profiles of the members at the round's opening, and the auditors. Recipients of two kinds
/// are never mixed, since the weaker would decide. All get the hybrid kind if everybody who can be reached at all can be reached by it, or if the
/// policy requires it; else all get X25519. A broken entry is skipped by rule and a list without any usable entry has no say, so that nobody's broken
/// profile changes what the others get.
/// </summary>
/// <param name="Kind">The kind that is sealed to.</param>
/// <param name="Recipients">Distinct recipients of that kind, in the order of the lists.</param>
/// <param name="Skipped">The entries that are unusable or superfluous, in the same order; usable ones of the other kind are not among them.</param>
/// <param name="Unreachable">The indices of readers that have no usable entry of the kind. They can't open the file, and are never sealed to with less.</param>
public sealed record RecipientSelection(
    AgeKeyKind Kind, IReadOnlyList<AgeRecipient> Recipients, IReadOnlyList<SkippedRecipient> Skipped, IReadOnlyList<int> Unreachable)
{
    /// <summary>The most recipients of a kind that are sealed to per reader, so that no profile can fill a header.</summary>
    public const int MaxPerProfile = 4;

    /// <param name="profiles">The list of each reader: the <c>age</c> list of a profile, or an auditor's one recipient.</param>
    /// <param name="postQuantum">Whether the policy requires the hybrid kind.</param>
    public static RecipientSelection From(IEnumerable<IReadOnlyList<string>> profiles, bool postQuantum)
    {
        var skipped = new List<SkippedRecipient>();
        var known = new HashSet<AgeRecipient>();
        var readers = profiles.Select((entries, index) => Usable(entries, index, known, skipped)).ToList();
        var hybridForAll = readers.Any(r => r.Count > 0) && readers.All(r => r.Count == 0 || r.Any(IsOf(AgeKeyKind.MlKem768X25519)));
        var kind = postQuantum || hybridForAll ? AgeKeyKind.MlKem768X25519 : AgeKeyKind.X25519;
        return new RecipientSelection(
            kind,
            [.. readers.SelectMany(r => r).Where(IsOf(kind)).Distinct()],
            skipped,
            [.. readers.Index().Where(r => !r.Item.Any(IsOf(kind))).Select(r => r.Index)]);
    }

    private static Func<AgeRecipient, bool> IsOf(AgeKeyKind kind) => recipient => recipient.Kind == kind;

    /// <summary>A reader's usable recipients within the limit, also those that an earlier entry has named: they count for this reader.</summary>
    private static List<AgeRecipient> Usable(IReadOnlyList<string> entries, int index, HashSet<AgeRecipient> known, List<SkippedRecipient> skipped)
    {
        var usable = new List<AgeRecipient>();
        foreach (var text in entries)
        {
            var refusal = AgeRecipient.Read(text, out var recipient);
            if (refusal is null && usable.Count(IsOf(recipient!.Kind)) == MaxPerProfile)
            {
                refusal = RecipientRefusal.BeyondLimit;
            }
            else if (refusal is null)
            {
                usable.Add(recipient!);
                refusal = known.Add(recipient!) ? null : RecipientRefusal.Duplicate;
            }

            if (refusal is not null)
            {
                skipped.Add(new SkippedRecipient(index, text, refusal.Value));
            }
        }

        return usable;
    }
}
