using System.Numerics;
using FedChain.Protocol;
using FedChain.Protocol.Ethereum;
using FedChain.Protocol.Ethereum.Abi;
using FedChain.Protocol.Ethereum.Contracts;
using FedChain.Protocol.Rounds;

namespace FedChain.Network.Tests.Differential;

/// <summary>Membership in C#: see <see cref="Mirror"/>.</summary>
internal sealed class SeatsMirror
{
    /// <summary>As in contracts/Membership.sol, in seconds.</summary>
    public const ulong FoundingPeriod = 7 * Day, IdlePeriod = 180 * Day, NoticePeriod = 30 * Day, Day = 24 * 3600;

    public const ulong FoundingEndsAt = Scene.Start + FoundingPeriod;

    private const int LeastProfile = 2, MostProfile = 16_384, MostRecipient = 4_096;

    private static readonly AbiValues Nothing = new([]);

    private readonly Mirror _mirror;
    private readonly Dictionary<Address, MemberId> _reserved; // of founders who have yet to activate
    private readonly Dictionary<MemberId, Record> _records = [];
    private ulong _roundsSince = Scene.Start;

    public SeatsMirror(Mirror mirror, IReadOnlyList<Address> founders)
    {
        _mirror = mirror;
        _reserved = founders.Select((address, i) => (address, i)).ToDictionary(f => f.address, f => new MemberId((uint)f.i + 1));
        LastId = new MemberId((uint)founders.Count);
    }

    /// <summary>The highest id that was given, or promised.</summary>
    public MemberId LastId { get; private set; }

    public IEnumerable<Seat> All => State.Seats.Values;

    /// <summary>The seats that have a vote.</summary>
    public int Voters => State.Seats.Values.Count(s => s.DormantFrom is null);

    public int FoundersMissing => State.Founders.Length - State.FoundersActivated;

    private FederationState State => _mirror.Federation;

    private ulong Now => _mirror.Time;

    public SeatView View(MemberId id) => State.Seats.GetValueOrDefault(id) is not { } seat
        ? new SeatView(default, default, default, default, 0, 0, default)
        : new SeatView(
            seat.Holder, seat.Operator, seat.ActiveFrom, seat.DormantFrom ?? default, _records[id].SeenAt, _records[id].NoticedAt, _records[id].ProfileHash);

    /// <summary>The seat that the address belongs to in either role, or is promised.</summary>
    public MemberId? SeatOf(Address address) =>
        All.FirstOrDefault(s => s.Holder == address || s.Operator == address)?.Id ?? (_reserved.TryGetValue(address, out var id) ? id : null);

    public Seat? HeldBy(Address address) => All.FirstOrDefault(s => s.Holder == address);

    public Seat? OperatedBy(Address address) => State.OperatedBy(address);

    /// <summary>Until when nothing can be opened; null once the federation is founded.</summary>
    public Outcome? StillFounding => FoundersMissing != 0 && Now < FoundingEndsAt ? Outcome.Refused(ContractErrors.StillFounding, FoundersMissing, FoundingEndsAt) : null;

    public Outcome Predict(Operation o)
    {
        var a = o.Arguments;
        return o.Function.Name switch
        {
            "activate" => Activate(o.Sender, a.Text(0), a.Address(1), a.Hash(2)),
            "applyForSeat" => Apply(o.Sender, a.Text(0), a.Address(1), a.Hash(2)),
            "setOperator" => SetOperator(o.Sender, a.Address(0), a.Hash(1)),
            "updateProfile" => UpdateProfile(o.Sender, a.Text(0)),
            "resign" => HeldBy(o.Sender) is { } held ? Vacate(held.Id, expelled: false) : Outcome.Refused(ContractErrors.NotHolder, o.Sender),
            "wake" => Wake(o.Sender),
            "dormant" => Dormant(a.Member(0)),
            "opening" => Outcome.Refused(ContractErrors.OnlyRounds, o.Sender),
            _ when o.Sender != Scene.Governance => Outcome.Refused(ContractErrors.OnlyGovernance, o.Sender),
            "admit" => Admit(a.Member(0), a.Hash(1)),
            "expel" => Vacate(a.Member(0), expelled: true),
            "recover" => Recover(a.Member(0), a.Address(1)),
            "grantAuditor" => a.Address(0).IsZero ? Outcome.Refused(ContractErrors.ZeroAddress)
                : a.Text(1).Length is 0 or > MostRecipient ? Outcome.Refused(ContractErrors.RecipientLength, a.Text(1).Length, 1, MostRecipient)
                : Outcome.Accepted(Nothing, By(new AuditorGranted(a.Address(0), a.Text(1)))),
            "revokeAuditor" => !State.Auditors.ContainsKey(a.Address(0)) ? Outcome.Refused(ContractErrors.UnknownAuditor, a.Address(0))
                : Outcome.Accepted(Nothing, By(new AuditorRevoked(a.Address(0)))),
            "setRounds" => SetRounds(a.Address(0)),
            "voted" => Outcome.Accepted(Nothing),
            _ => throw new NotSupportedException($"The mirror of Membership knows no {o.Function}."),
        };
    }

    public void Note(IContractEvent e)
    {
        switch (e)
        {
            case Applied applied:
                LastId = applied.Id;
                break;
            case SeatActivated seat:
                _reserved.Remove(seat.Holder);
                _reserved.Remove(seat.Operator);
                _records[seat.Id] = new Record(Now, 0, seat.ProfileHash);
                break;
            case ProfileUpdated profile:
                _records[profile.Id] = _records[profile.Id] with { ProfileHash = profile.ProfileHash };
                break;
            case OperatorChanged changed:
                _reserved.Remove(changed.Operator);
                break;
            case SeatRecovered recovered:
                _reserved.Remove(recovered.Holder);
                break;
            case DormancyNoticed noticed:
                _records[noticed.Id] = _records[noticed.Id] with { NoticedAt = Now };
                break;
            case RoundsReplaced:
                _roundsSince = Now;
                break;
            default:
                break;
        }
    }

    /// <summary>Not every sign of life is an event.</summary>
    public void NoteActor(Operation o)
    {
        var seat = o.Function.Name switch
        {
            "setOperator" or "updateProfile" or "wake" => SeatOf(o.Sender),
            "voted" => HeldBy(o.Arguments.Address(0))?.Id,
            _ => null,
        };
        if (seat is { } id)
        {
            _records[id] = _records[id] with { SeenAt = Now };
        }
    }

    private static Emission By(IContractEvent e) => new(Scene.Membership, e);

    // ---- founding and joining

    private Outcome Activate(Address sender, string profile, Address operatorAddress, Hash256 commitment) =>
        !_reserved.TryGetValue(sender, out var id) ? Outcome.Refused(ContractErrors.NotFounder, sender)
        : Now >= FoundingEndsAt ? Outcome.Refused(ContractErrors.FoundingOver, FoundingEndsAt)
        : RefusalOfProfile(profile) ?? RefusalOf(operatorAddress, id) ?? RefusalOfCommitment(commitment) ?? Outcome.Accepted(
            Nothing,
            _mirror.InUse.Commit(id, commitment),
            By(new SeatActivated(id, sender, operatorAddress, State.NextRound, Keccak256.Hash(profile))),
            By(new ProfileUpdated(id, Keccak256.Hash(profile), profile)));

    private Outcome Apply(Address sender, string profile, Address operatorAddress, Hash256 commitment)
    {
        var refusal = RefusalOf(sender, null) ?? RefusalOf(operatorAddress, null) ?? RefusalOfCommitment(commitment) ?? RefusalOfProfile(profile);
        if (refusal is not null)
        {
            return refusal;
        }

        var id = new MemberId(LastId.Value + 1);
        var application = Keccak256.OfWords(Scene.ChainId, Scene.Membership, id, sender, operatorAddress, Keccak256.Hash(profile), commitment);
        return Outcome.Accepted(new AbiValues([(BigInteger)id.Value, application.ToArray()]), By(new Applied(id, sender, operatorAddress, commitment, application, profile)));
    }

    private Outcome Admit(MemberId id, Hash256 application) =>
        State.Applications.GetValueOrDefault(id) is not { } a || a.Application != application ? Outcome.Refused(ContractErrors.UnknownApplication, id, application)
        : RefusalOf(a.Holder, id) ?? RefusalOf(a.Operator, id) ?? Outcome.Accepted(
            Nothing,
            _mirror.InUse.Commit(id, a.Commitment),
            By(new SeatActivated(id, a.Holder, a.Operator, State.NextRound, Keccak256.Hash(a.Profile))));

    // ---- by the member

    private Outcome SetOperator(Address sender, Address operatorAddress, Hash256 commitment) =>
        HeldBy(sender) is not { } seat ? Outcome.Refused(ContractErrors.NotHolder, sender)
        : (operatorAddress == seat.Operator ? null : RefusalOf(operatorAddress, seat.Id)) ?? RefusalOfCommitment(commitment) ?? Outcome.Accepted(
            Nothing, _mirror.InUse.Commit(seat.Id, commitment), By(new OperatorChanged(seat.Id, operatorAddress, seat.Operator)));

    private Outcome UpdateProfile(Address sender, string profile) =>
        Own(sender) is not { } seat ? Outcome.Refused(ContractErrors.NotMember, sender)
        : RefusalOfProfile(profile) ?? Outcome.Accepted(Nothing, By(new ProfileUpdated(seat.Id, Keccak256.Hash(profile), profile)));

    /// <summary>A round that counted the seat while it slept would have been the first without it: it is back from the next one on, or as if it had not slept.</summary>
    private Outcome Wake(Address sender) =>
        Own(sender) is not { } seat ? Outcome.Refused(ContractErrors.NotMember, sender)
        : seat.DormantFrom is not { } from ? Outcome.Accepted(Nothing)
        : Outcome.Accepted(Nothing, By(new SeatAwakened(seat.Id, from.CompareTo(State.NextRound) < 0 ? State.NextRound : seat.ActiveFrom)));

    // ---- by anyone

    private Outcome Dormant(MemberId id)
    {
        if (State.Seats.GetValueOrDefault(id) is not { } seat)
        {
            return Outcome.Refused(ContractErrors.UnknownSeat, id);
        }

        var idleFrom = Math.Max(Math.Max(_records[id].SeenAt, _roundsSince), _mirror.InUse.SeenAt(id)) + IdlePeriod;
        var retirableFrom = _records[id].NoticedAt + NoticePeriod;
        var warned = _records[id].NoticedAt >= idleFrom;
        return seat.DormantFrom is not null ? Outcome.Refused(ContractErrors.AlreadyDormant, id)
            : Voters == 1 ? Outcome.Refused(ContractErrors.LastMember, id)
            : Now < idleFrom ? Outcome.Refused(ContractErrors.NotIdle, id, idleFrom)
            : !warned ? Outcome.Accepted(Nothing, By(new DormancyNoticed(id, Now + NoticePeriod)))
            : Now < retirableFrom ? Outcome.Refused(ContractErrors.NotIdle, id, retirableFrom)
            : Outcome.Accepted(Nothing, By(new SeatDormant(id, State.NextRound)));
    }

    // ---- by vote

    private Outcome Vacate(MemberId id, bool expelled) =>
        State.Seats.GetValueOrDefault(id) is not { } seat ? Outcome.Refused(ContractErrors.UnknownSeat, id)
        : seat.DormantFrom is null && Voters == 1 ? Outcome.Refused(ContractErrors.LastMember, id)
        : Outcome.Accepted(Nothing, [.. _mirror.InUse.Depart(seat), By(new SeatVacated(id, seat.Holder, expelled))]);

    private Outcome Recover(MemberId id, Address newHolder) =>
        State.Seats.GetValueOrDefault(id) is not { } seat ? Outcome.Refused(ContractErrors.UnknownSeat, id)
        : RefusalOf(newHolder, id) ?? Outcome.Accepted(Nothing, By(new SeatRecovered(id, newHolder, seat.Holder)));

    private Outcome SetRounds(Address address)
    {
        var (previous, successor) = (_mirror.InUse, _mirror.RoundsAt(address));
        return previous == successor ? Outcome.Refused(ContractErrors.WrongWiring, address, previous.Address)
            : successor.Number.Value != 0 ? Outcome.Refused(ContractErrors.AlreadyStarted, successor.Number)
            : Outcome.Accepted(
                Nothing, new Emission(address, new Succeeded(previous.Number)), By(new RoundsReplaced(address, previous.Address, previous.Number)));
    }

    // ---- who may have which address

    private Seat? Own(Address sender) => All.FirstOrDefault(s => s.Holder == sender || s.Operator == sender);

    private Outcome? RefusalOf(Address address, MemberId? forSeat) =>
        address.IsZero ? Outcome.Refused(ContractErrors.ZeroAddress)
        : SeatOf(address) is not { } taken || taken == forSeat ? null
        : !State.Seats.ContainsKey(taken) && Now >= FoundingEndsAt ? null // a founder who let its time pass
        : Outcome.Refused(ContractErrors.AddressTaken, address, taken);

    private static Outcome? RefusalOfProfile(string profile) =>
        profile.Length is >= LeastProfile and <= MostProfile ? null : Outcome.Refused(ContractErrors.ProfileLength, profile.Length, LeastProfile, MostProfile);

    private static Outcome? RefusalOfCommitment(Hash256 commitment) => commitment.IsZero ? Outcome.Refused(ContractErrors.EmptyCommitment) : null;

    private sealed record Record(ulong SeenAt, ulong NoticedAt, Hash256 ProfileHash);
}
