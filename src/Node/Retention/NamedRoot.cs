using FedChain.Protocol;
using FedChain.Protocol.Content;

namespace FedChain.Node.Retention;

/// <summary>What a piece of content is for.</summary>
internal enum ContentKind
{
    UpdateManifest,
    Update,
    GlobalManifest,
    Adapter,
    Velocity,
}

/// <summary>Content that the federation's history names.</summary>
/// <param name="Cid">Its root.</param>
/// <param name="Round">The round that it belongs to.</param>
/// <param name="Kind">What it is for.</param>
/// <param name="Member">Whose update, or who aggregated.</param>
/// <param name="IsNeeded">Whether every member has to hold it still.</param>
internal sealed record NamedRoot(Cid Cid, RoundId Round, ContentKind Kind, MemberId Member, bool IsNeeded);
