using System.Collections.Immutable;
using FedChain.Protocol;
using FedChain.Protocol.Ethereum.Contracts;
using FedChain.Protocol.Rounds;

namespace FedChain.Node.Audit;

/// <summary>
/// Who had a vote at which second, as Membership's token (ERC721Votes with a clock of timestamps) would answer: a seat's holder, from the block of its
/// minting on. What happens within a second counts from that second on, so a vote looks at a snapshot that is over.
/// </summary>
internal sealed class Electorate
{
    private readonly List<(ulong From, ImmutableHashSet<Address> Holders)> _history = [(0, [])];

    public ImmutableHashSet<Address> At(ulong time) => _history.FindLast(h => h.From <= time).Holders;

    /// <param name="before">The state that the event meets.</param>
    public void Follow(IContractEvent contractEvent, ulong time, FederationState before)
    {
        switch (contractEvent)
        {
            case SeatActivated e:
                Set(time, holders => holders.Add(e.Holder));
                break;
            case SeatVacated e:
                Set(time, holders => holders.Remove(e.Holder));
                break;
            case SeatDormant e when before.Seats.TryGetValue(e.Id, out var seat):
                Set(time, holders => holders.Remove(seat.Holder));
                break;
            case SeatAwakened e when before.Seats.TryGetValue(e.Id, out var seat):
                Set(time, holders => holders.Add(seat.Holder));
                break;
            case SeatRecovered e when before.Seats.TryGetValue(e.Id, out var seat) && seat.DormantFrom is null:
                Set(time, holders => holders.Remove(e.Previous).Add(e.Holder));
                break;
            default:
                break;
        }
    }

    private void Set(ulong time, Func<ImmutableHashSet<Address>, ImmutableHashSet<Address>> change) => _history.Add((time, change(_history[^1].Holders)));
}
