using FedChain.Protocol;
using FedChain.Protocol.Ethereum;
using FedChain.Protocol.Ethereum.Abi;
using FedChain.Protocol.Ethereum.Contracts;

namespace FedChain.Network.Tests.Differential;

/// <summary>What a contract can be asked, and what the mirror says to it.</summary>
internal sealed record View(Address To, AbiFunction Function, IReadOnlyList<object> Arguments, Func<AbiValues, object> Read, object Expected)
{
    /// <summary>All views of Membership, and of the Rounds in use and the one that was called, at the mirror's time.</summary>
    /// <param name="caller">Whose seat is asked for.</param>
    /// <param name="called">The contract of the latest call.</param>
    /// <param name="later">Not before it: what the round will be then is asked, too.</param>
    public static IEnumerable<View> Of(Mirror mirror, Address caller, Address called, ulong later) =>
    [
        .. OfSeats(mirror, caller), .. OfRounds(mirror, mirror.InUse, later),
        .. called == Scene.Membership || called == mirror.InUse.Address ? [] : OfRounds(mirror, mirror.RoundsAt(called), later),
    ];

    public override string ToString() => $"{Function.Name}({string.Join(", ", Arguments)})";

    private static IEnumerable<View> OfSeats(Mirror mirror, Address caller)
    {
        var seats = mirror.Seats;
        yield return Of(Scene.Membership, MembershipAbi.Rounds, v => v.Address(0), mirror.InUse.Address);
        yield return Of(Scene.Membership, MembershipAbi.Voters, v => v.UInt32(0), (uint)mirror.Federation.EligibleNext.Count);
        yield return Of(Scene.Membership, MembershipAbi.LastId, v => v.Member(0), seats.LastId);
        yield return Of(
            Scene.Membership, MembershipAbi.ApplicationOf, v => v.Hash(0), mirror.Federation.Applications.GetValueOrDefault(seats.LastId)?.Application ?? default, seats.LastId);
        yield return Of(Scene.Membership, MembershipAbi.SeatOf, v => v.Member(0), seats.All.FirstOrDefault(s => s.Holder == caller || s.Operator == caller)?.Id ?? default, caller);
        yield return Of(Scene.Membership, MembershipAbi.OperatedBy, v => v.Member(0), seats.OperatedBy(caller)?.Id ?? default, caller);
        var auditor = Scene.Account("outsider");
        yield return Of(
            Scene.Membership, MembershipAbi.AuditorRecipient, v => v.Hash(0), mirror.Federation.Auditors.TryGetValue(auditor, out var recipient) ? Keccak256.Hash(recipient) : default, auditor);
        foreach (var id in Ids(mirror))
        {
            yield return Of(Scene.Membership, MembershipAbi.SeatById, v => SeatView.Read(v.List(0)), seats.View(id), id);
        }
    }

    private static IEnumerable<View> OfRounds(Mirror mirror, RoundsMirror rounds, ulong later)
    {
        View OfRounds(AbiFunction function, Func<AbiValues, object> read, object expected, params object[] arguments) => Of(rounds.Address, function, read, expected, arguments);

        yield return OfRounds(RoundsAbi.CurrentRound, v => RoundView.Read(v.List(0)), rounds.RoundAt(mirror.Time));
        yield return OfRounds(RoundsAbi.RoundAt, v => RoundView.Read(v.List(0)), rounds.RoundAt(later), later);
        yield return OfRounds(RoundsAbi.Current, v => v.Round(0), rounds.Number);
        yield return OfRounds(RoundsAbi.Policy, PolicyView.Read, rounds.Policy);
        yield return OfRounds(RoundsAbi.PolicyInForce, v => v.Hash(0), rounds.PolicyInForce);
        yield return OfRounds(RoundsAbi.Base, v => v.Hash(0), rounds.Base);
        yield return OfRounds(RoundsAbi.Finalised, v => v.UInt64(0), rounds.Finalised);
        yield return OfRounds(RoundsAbi.Paused, v => v.Bool(0), rounds.Fold.Paused);
        if (rounds.PhaseNow is not (RoundPhase.None or RoundPhase.Training))
        {
            var round = rounds.Current!;
            yield return OfRounds(RoundsAbi.Turns, v => $"[{v.List(0)}]", $"[{string.Join(", ", round.Turns.Select(index => round.Submissions[index].Member))}]");
        }

        if (rounds.Current is { Submissions: [.., var last] })
        {
            yield return OfRounds(RoundsAbi.Submitter, v => v.Member(0), last.Member, last.Index);
        }

        foreach (var id in Ids(mirror))
        {
            yield return OfRounds(RoundsAbi.Member, v => MemberView.Read(v.List(0)), rounds.Member(id), id);
        }
    }

    private static IEnumerable<MemberId> Ids(Mirror mirror) => Enumerable.Range(1, (int)mirror.Seats.LastId.Value).Select(id => new MemberId((uint)id));

    private static View Of(Address to, AbiFunction function, Func<AbiValues, object> read, object expected, params object[] arguments) =>
        new(to, function, arguments, read, expected);
}
