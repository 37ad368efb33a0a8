using FedChain.Protocol;
using FedChain.Protocol.Ethereum.Abi;
using FedChain.Protocol.Ethereum.Contracts;

namespace FedChain.Network.Tests.Differential;

/// <summary>What a contract can be asked, and what the mirror says to it.</summary>
internal sealed record View(string Name, ContractCall Call, AbiFunction Function, Func<AbiValues, object> Read, object Expected)
{
    /// <summary>All views of the Rounds in use and of Membership, at the mirror's time; the round also at another time, not before it.</summary>
    public static IEnumerable<View> Of(Mirror mirror, ulong later)
    {
        var rounds = mirror.InUse;
        View OfRounds(AbiFunction function, Func<AbiValues, object> read, object expected, params object[] arguments) => Of(rounds.Address, function, read, expected, arguments);
        View OfSeats(AbiFunction function, Func<AbiValues, object> read, object expected, params object[] arguments) => Of(Scene.Membership, function, read, expected, arguments);

        yield return OfRounds(RoundsAbi.CurrentRound, v => RoundView.Read(v.List(0)), rounds.RoundAt(mirror.Time));
        yield return OfRounds(RoundsAbi.RoundAt, v => RoundView.Read(v.List(0)), rounds.RoundAt(later), later);
        yield return OfRounds(RoundsAbi.Current, v => v.Round(0), rounds.Number);
        yield return OfRounds(RoundsAbi.Policy, PolicyView.Read, rounds.Policy);
        yield return OfRounds(RoundsAbi.PolicyInForce, v => v.Hash(0), rounds.PolicyInForce);
        yield return OfRounds(RoundsAbi.Base, v => v.Hash(0), rounds.Base);
        yield return OfRounds(RoundsAbi.Finalised, v => v.UInt64(0), rounds.Finalised);
        yield return OfRounds(RoundsAbi.Paused, v => v.Bool(0), mirror.Federation.Paused);
        if (rounds.PhaseNow is not (RoundPhase.None or RoundPhase.Training))
        {
            var round = rounds.Current!;
            yield return OfRounds(RoundsAbi.Turns, v => $"[{v.List(0)}]", $"[{string.Join(", ", round.Turns.Select(index => round.Submissions[index].Member))}]");
        }

        if (rounds.Current is { Submissions: [.., var last] })
        {
            yield return OfRounds(RoundsAbi.Submitter, v => v.Member(0), last.Member, last.Index);
        }

        yield return OfSeats(MembershipAbi.Rounds, v => v.Address(0), rounds.Address);
        yield return OfSeats(MembershipAbi.Voters, v => v.UInt32(0), (uint)mirror.Federation.EligibleNext.Count);
        yield return OfSeats(MembershipAbi.LastId, v => v.Member(0), mirror.Seats.LastId);
        for (var id = new MemberId(1); id.Value <= mirror.Seats.LastId.Value; id = new MemberId(id.Value + 1))
        {
            yield return OfRounds(RoundsAbi.Member, v => MemberView.Read(v.List(0)), rounds.Member(id), id);
            yield return OfSeats(MembershipAbi.SeatById, v => SeatView.Read(v.List(0)), mirror.Seats.View(id), id);
        }
    }

    private static View Of(Address to, AbiFunction function, Func<AbiValues, object> read, object expected, object[] arguments) =>
        new($"{function.Name}({string.Join(", ", arguments)})", ContractCall.Of(to, function, arguments), function, read, expected);
}
