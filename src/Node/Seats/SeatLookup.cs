using FedChain.Node.Chain;
using FedChain.Protocol;
using FedChain.Protocol.Rounds;

namespace FedChain.Node.Seats;

/// <summary>Finds the seat that an account speaks for, or says why there is none.</summary>
internal static class SeatLookup
{
    /// <exception cref="UserErrorException">The account holds no seat.</exception>
    public static Seat HeldBy(ChainSession session, Address account) =>
        session.Reader.State.Seats.Values.FirstOrDefault(s => s.Holder == account) ?? throw new UserErrorException(
            $"{account} holds no seat in the federation {session.Federation}. {Holders(session)} --from takes another key; --calldata --from ADDRESS prints the call for a holder that is a contract.");

    /// <exception cref="UserErrorException">The account operates no seat.</exception>
    public static Seat OperatedBy(ChainSession session, Address account) =>
        session.Reader.State.OperatedBy(account) ?? throw new UserErrorException(
            $"{account} operates no seat in the federation {session.Federation}. {Operators(session)} --from takes another key.");

    /// <exception cref="UserErrorException">The account neither holds nor operates a seat.</exception>
    public static Seat Of(ChainSession session, Address account) =>
        session.Reader.State.Seats.Values.FirstOrDefault(s => s.Holder == account || s.Operator == account) ?? throw new UserErrorException(
            $"{account} neither holds nor operates a seat in the federation {session.Federation}. {Holders(session)} {Operators(session)} --from takes another key.");

    /// <exception cref="UserErrorException">There is no such seat.</exception>
    public static Seat At(ChainSession session, MemberId id) =>
        session.Reader.State.Seats.GetValueOrDefault(id) ?? throw new UserErrorException(
            $"There is no seat {id} in the federation {session.Federation}; it has {string.Join(", ", session.Reader.State.Seats.Keys)}. 'fedchain status' lists them.");

    private static string Holders(ChainSession session) => $"Holders are {List(session, s => s.Holder)}.";

    private static string Operators(ChainSession session) => $"Operators are {List(session, s => s.Operator)}.";

    private static string List(ChainSession session, Func<Seat, Address> role) =>
        session.Reader.State.Seats.Count == 0 ? "nobody yet" : string.Join(", ", session.Reader.State.Seats.Values.Select(s => $"{role(s)} (seat {s.Id})"));
}
