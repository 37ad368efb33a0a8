using System.Collections.Immutable;

namespace FedChain.Protocol.Ethereum.Contracts;

public sealed record FederationFounded(Address Governance, Address Rounds, ulong FoundingEndsAt, ImmutableArray<Address> Founders) : IContractEvent;

public sealed record Applied(
    MemberId Id, Address Holder, Address Operator, Hash256 Commitment, Hash256 Application, string Profile) : IContractEvent;

public sealed record SeatActivated(MemberId Id, Address Holder, Address Operator, RoundId ActiveFrom, Hash256 ProfileHash) : IContractEvent;

public sealed record SeatVacated(MemberId Id, Address Holder, bool Expelled) : IContractEvent;

public sealed record SeatRecovered(MemberId Id, Address Holder, Address Previous) : IContractEvent;

public sealed record OperatorChanged(MemberId Id, Address Operator, Address Previous) : IContractEvent;

public sealed record ProfileUpdated(MemberId Id, Hash256 ProfileHash, string Profile) : IContractEvent;

public sealed record DormancyNoticed(MemberId Id, ulong RetirableAt) : IContractEvent;

public sealed record SeatDormant(MemberId Id, RoundId FromRound) : IContractEvent;

public sealed record SeatAwakened(MemberId Id, RoundId ActiveFrom) : IContractEvent;

public sealed record AuditorGranted(Address Auditor, string Recipient) : IContractEvent;

public sealed record AuditorRevoked(Address Auditor) : IContractEvent;

public sealed record RoundsReplaced(Address Rounds, Address Previous, RoundId AfterRound) : IContractEvent;
