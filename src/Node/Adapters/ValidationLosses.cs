using System.Collections.Immutable;
using FedChain.Protocol;
using FedChain.Protocol.Numerics;

namespace FedChain.Node.Adapters;

/// <param name="Round">The round that finalised the adapter; 0 for the base model as it is.</param>
/// <param name="Adapter">Its digest; zero for the base model.</param>
/// <param name="Loss">Mean over the response tokens of the validation records.</param>
public sealed record AdapterLoss(RoundId Round, Hash256 Adapter, Micronats Loss)
{
    public static AdapterLoss OfBaseModel(Micronats loss) => new(default, default, loss);
}

/// <summary>
/// What each global adapter is worth to this institution: its loss on the institution's own validation set. Losses on another set, or of another base
/// model, say nothing about each other, so a new set begins anew. Pure.
/// </summary>
/// <param name="Set">Names base model and validation records.</param>
/// <param name="Losses">In order of rounds.</param>
public sealed record ValidationLosses(Hash256 Set, ImmutableArray<AdapterLoss> Losses)
{
    public AdapterLoss? Of(Hash256 adapter) => Losses.FirstOrDefault(l => l.Adapter == adapter);

    /// <summary>With one more, in the place of an earlier measurement of the same adapter.</summary>
    public ValidationLosses With(Hash256 set, AdapterLoss loss)
    {
        var kept = set == Set ? Losses.Where(l => l.Adapter != loss.Adapter) : [];
        return new ValidationLosses(set, [.. kept.Append(loss).OrderBy(l => l.Round)]);
    }

    /// <summary>The best that this institution had before an adapter's round, the base model included; of equally good ones the earliest. Null if nothing was measured.</summary>
    /// <param name="latest">The adapter that is new.</param>
    /// <param name="stands">Whether the chain still has that adapter: a reorganised one is gone.</param>
    public AdapterLoss? BestBefore(AdapterLoss latest, Func<AdapterLoss, bool> stands) =>
        Losses.Where(l => l.Round.CompareTo(latest.Round) < 0 && stands(l)).MinBy(l => l.Loss.Value);
}
