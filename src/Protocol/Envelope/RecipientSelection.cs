namespace FedChain.Protocol.Envelope;

/// <summary>Why an entry of a profile's <c>age</c> list is not sealed to.</summary>
public enum RecipientRefusal
{
    /// <summary>It is no age recipient of a kind that is known here.</summary>
    Unparsable,

    /// <summary>It is a point of low order: nothing sealed to it would be secret.</summary>
    LowOrder,

    /// <summary>It is a post-quantum recipient (<c>age1pq1…</c>), which is never mixed with X25519 ones.</summary>
    PostQuantum,

    /// <summary>An earlier entry is the same recipient.</summary>
    Duplicate,

    /// <summary>Its profile has <see cref="RecipientSelection.MaxPerProfile"/> recipients before it.</summary>
    BeyondLimit,
}

/// <summary>An entry that is not sealed to.</summary>
/// <param name="Profile">The index of its profile among those given.</param>
/// <param name="Text">The entry as the profile has it.</param>
/// <param name="Refusal">Why.</param>
public sealed record SkippedRecipient(int Profile, string Text, RecipientRefusal Refusal);

/// <summary>
/// Whom to seal to, given the profiles of those entitled (the members at the round's opening, and the auditors). A broken entry is skipped by
/// rule, so that nobody's profile stops the others; whoever has no usable entry can't open the file and is named.
/// </summary>
/// <param name="Recipients">Distinct recipients in the order of the profiles.</param>
/// <param name="Skipped">The entries not sealed to, in the same order.</param>
/// <param name="Unreachable">The indices of profiles of which no entry is usable.</param>
public sealed record RecipientSelection(
    IReadOnlyList<AgeRecipient> Recipients, IReadOnlyList<SkippedRecipient> Skipped, IReadOnlyList<int> Unreachable)
{
    /// <summary>The most recipients that are sealed to per profile, so that no profile can fill a header.</summary>
    public const int MaxPerProfile = 4;

    /// <param name="profiles">The <c>age</c> list of each profile.</param>
    public static RecipientSelection From(IEnumerable<IReadOnlyList<string>> profiles)
    {
        var recipients = new List<AgeRecipient>();
        var known = new HashSet<AgeRecipient>();
        var skipped = new List<SkippedRecipient>();
        var unreachable = new List<int>();
        foreach (var (index, entries) in profiles.Index())
        {
            var usable = 0;
            foreach (var text in entries)
            {
                var refusal = AgeRecipient.Read(text, out var recipient);
                if (refusal is null && usable == MaxPerProfile)
                {
                    refusal = RecipientRefusal.BeyondLimit;
                }
                else if (refusal is null)
                {
                    usable++;
                    refusal = known.Add(recipient!) ? null : RecipientRefusal.Duplicate;
                }

                if (refusal is null)
                {
                    recipients.Add(recipient!);
                }
                else
                {
                    skipped.Add(new SkippedRecipient(index, text, refusal.Value));
                }
            }

            if (usable == 0)
            {
                unreachable.Add(index);
            }
        }

        return new RecipientSelection(recipients, skipped, unreachable);
    }
}
