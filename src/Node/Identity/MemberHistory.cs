using System.Collections.Immutable;
using FedChain.Protocol;
using FedChain.Protocol.Ethereum.Contracts;
using FedChain.Protocol.Identity;

namespace FedChain.Node.Identity;

/// <summary>Which of a seat's two keys.</summary>
public enum SeatKey
{
    Operator,
    Holder,
}

/// <summary>For how long something was so: from a block on, until another (exclusive); null while it still is.</summary>
public sealed record Tenure(BlockMoment From, BlockMoment? Until)
{
    /// <summary>Whether a moment (Unix seconds) lies within it, give or take <paramref name="tolerance"/> for clocks that differ.</summary>
    public bool Covers(ulong time, ulong tolerance) => time + tolerance >= From.Time && (Until is not { } until || time <= until.Time + tolerance);
}

public sealed record KeyTenure(Address Address, SeatKey Key, Tenure Tenure);

public sealed record ProfileTenure(string Profile, Tenure Tenure);

/// <summary>One seat's life as the events tell it: who spoke for it when, and with which profile. Pure.</summary>
public sealed record MemberHistory
{
    private MemberHistory(MemberId member) => Member = member;

    public MemberId Member { get; }

    /// <summary>When the seat was activated.</summary>
    public BlockMoment Created { get; private init; }

    /// <summary>The last change of keys or profile.</summary>
    public BlockMoment Updated { get; private init; }

    public ImmutableArray<KeyTenure> Keys { get; private init; } = [];

    public ImmutableArray<ProfileTenure> Profiles { get; private init; } = [];

    /// <summary>Whether the seat is held now.</summary>
    public bool IsHeld { get; private init; }

    /// <summary>The blocks whose times <see cref="Of"/> asks for.</summary>
    public static IReadOnlyList<ulong> BlocksOf(MemberId member, IEnumerable<ChainEvent> events) =>
        [.. events.Where(e => Concerns(member, e.Event)).Select(e => e.Block).Distinct()];

    /// <returns>Null if no such seat was ever activated.</returns>
    public static MemberHistory? Of(MemberId member, IEnumerable<ChainEvent> events, Func<ulong, ulong> timeOfBlock)
    {
        MemberHistory? history = null;
        string? published = null;
        foreach (var e in events.Where(e => Concerns(member, e.Event)))
        {
            var at = new BlockMoment(e.Block, e.BlockHash, timeOfBlock(e.Block));
            switch (e.Event)
            {
                case Applied applied:
                    published = applied.Profile;
                    continue; // nobody's profile yet
                case SeatActivated activated:
                    history = new MemberHistory(member) { Created = at, IsHeld = true }
                        .WithKey(SeatKey.Operator, activated.Operator, at).WithKey(SeatKey.Holder, activated.Holder, at);
                    history = published is null ? history : history.WithProfile(published, at);
                    break;
                case ProfileUpdated profile:
                    published = profile.Profile;
                    history = history?.WithProfile(profile.Profile, at);
                    break;
                case OperatorChanged changed:
                    history = history?.WithKey(SeatKey.Operator, changed.Operator, at);
                    break;
                case SeatRecovered recovered:
                    history = history?.WithKey(SeatKey.Holder, recovered.Holder, at);
                    break;
                default:
                    history = history is null ? null : history with { IsHeld = false, Keys = [.. history.Keys.Select(k => End(k, at))], Profiles = [.. history.Profiles.Select(p => End(p, at))] };
                    break;
            }

            history = history is null ? null : history with { Updated = at };
        }

        return history;
    }

    private MemberHistory WithKey(SeatKey key, Address address, BlockMoment at) => this with
    {
        Keys = [.. Keys.Select(k => k.Key == key ? End(k, at) : k), new KeyTenure(address, key, new Tenure(at, null))],
    };

    private MemberHistory WithProfile(string profile, BlockMoment at) => this with
    {
        Profiles = [.. Profiles.Select(p => End(p, at)), new ProfileTenure(profile, new Tenure(at, null))],
    };

    private static KeyTenure End(KeyTenure key, BlockMoment at) => key.Tenure.Until is null ? key with { Tenure = key.Tenure with { Until = at } } : key;

    private static ProfileTenure End(ProfileTenure profile, BlockMoment at) => profile.Tenure.Until is null ? profile with { Tenure = profile.Tenure with { Until = at } } : profile;

    private static bool Concerns(MemberId member, IContractEvent e) => e switch
    {
        Applied(var id, _, _, _, _, _) => id == member,
        SeatActivated(var id, _, _, _, _) => id == member,
        ProfileUpdated(var id, _, _) => id == member,
        OperatorChanged(var id, _, _) => id == member,
        SeatRecovered(var id, _, _) => id == member,
        SeatVacated(var id, _, _) => id == member,
        _ => false,
    };
}
