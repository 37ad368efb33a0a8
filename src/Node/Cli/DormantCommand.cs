using System.CommandLine;
using System.Text.Json.Nodes;
using FedChain.Network.Chain;
using FedChain.Node.Seats;
using FedChain.Protocol;
using FedChain.Protocol.Ethereum.Contracts;
using FedChain.Protocol.Rounds;

namespace FedChain.Node.Cli;

internal static class DormantCommand
{
    public static Command Create()
    {
        var sending = new Sending();
        var id = new Argument<uint>("ID") { Description = "The seat's number; 'fedchain status' lists them." };
        var command = new Command("dormant", """
            Retires the vote of a member that has done nothing for 180 days, so that the dead can't block every majority. Anybody may. The first call gives
            notice; one at least 30 days later retires the vote, unless the member has acted in between. It keeps its seat, and 'fedchain wake'
            gives the vote back.

            Example:
              fedchain dormant --home /srv/fedchain 3
            """)
        { id };
        sending.AddTo(command);
        command.SetAction(async (result, cancellationToken) =>
        {
            await using var writer = await sending.OpenAsync(result, cancellationToken);
            var session = writer.Session;
            var seat = SeatLookup.At(session, new MemberId(result.GetValue(id)));
            if (seat.DormantFrom is { } since)
            {
                throw new UserErrorException($"The vote of seat {seat.Id} is retired already, for the rounds from {since} on. Its holder {seat.Holder} gets it back with 'fedchain wake'.");
            }

            var membership = new MembershipClient(session.Client, session.Federation);
            var call = membership.Dormant(seat.Id);
            try
            {
                await session.Client.CallAsync(call.To, call.Data, writer.Account, BlockTag.Pending, cancellationToken);
            }
            catch (ChainException e) when (e.Refusal?.Is(ContractErrors.NotIdle) == true)
            {
                throw new UserErrorException(await TooEarlyAsync(membership, seat, e.Refusal.Arguments.UInt64(1), cancellationToken), e);
            }

            await writer.SendAsync(call, receipt => Words(seat, EventOf(receipt)), receipt => Facts(seat, EventOf(receipt)), cancellationToken);
        });
        return command;
    }

    private static async Task<string> TooEarlyAsync(MembershipClient membership, Seat seat, ulong from, CancellationToken cancellationToken)
    {
        var noticed = (await membership.GetSeatAsync(seat.Id, cancellationToken))?.NoticedAt ?? 0;
        return noticed != 0 && noticed < from && noticed + SecondsOfNotice == from
            ? $"Seat {seat.Id} was given notice at {StatusCommand.Time(noticed)}; its vote can be retired from {StatusCommand.Time(from)} on, if it does nothing until then. Nothing was sent."
            : $"Seat {seat.Id} has acted too lately: it can be given notice from {StatusCommand.Time(from)} on, 180 days after its last act, and its vote be retired 30 days after the notice. Nothing was sent.";
    }

    private const ulong SecondsOfNotice = 30 * 86_400;

    private static IContractEvent? EventOf(Receipt receipt) =>
        receipt.Logs.Select(log => ContractEvents.Decode(log.Topics, log.Data.Span)).FirstOrDefault(e => e is DormancyNoticed or SeatDormant);

    private static string Words(Seat seat, IContractEvent? happened) => happened is DormancyNoticed noticed
        ? $"Seat {seat.Id} is given notice: unless it acts, its vote can be retired from {StatusCommand.Time(noticed.RetirableAt)} on, by this command again."
        : $"The vote of seat {seat.Id} is retired: later rounds and votes don't count it. Its holder {seat.Holder} gets it back with 'fedchain wake'.";

    private static JsonObject Facts(Seat seat, IContractEvent? happened) => new()
    {
        ["member"] = seat.Id.Value,
        ["retired"] = happened is SeatDormant,
        ["retirableAt"] = (happened as DormancyNoticed)?.RetirableAt,
    };
}
