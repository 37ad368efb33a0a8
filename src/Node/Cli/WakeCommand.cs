using System.CommandLine;
using System.Text.Json.Nodes;
using FedChain.Network.Chain;
using FedChain.Node.Seats;

namespace FedChain.Node.Cli;

internal static class WakeCommand
{
    public static Command Create()
    {
        var sending = new Sending();
        var command = new Command("wake", """
            Gives this institution's vote back after it was retired as dormant; rounds count the seat again from the next one on. Awake, it is a sign of
            life that starts the time of idleness anew. Sent by the holder or, with --from operator, by the operator.

            Example:
              fedchain wake --home /srv/fedchain
            """);
        sending.AddTo(command);
        command.SetAction(async (result, cancellationToken) =>
        {
            await using var writer = await sending.OpenAsync(result, cancellationToken);
            var session = writer.Session;
            var seat = SeatLookup.Of(session, writer.Account);
            await writer.SendAsync(
                new MembershipClient(session.Client, session.Federation).Wake(),
                _ => seat.DormantFrom is null
                    ? $"Seat {seat.Id} was awake; it has given a sign of life."
                    : $"Seat {seat.Id} is awake: it votes again, and rounds from {session.Reader.State.NextRound} on count it.",
                _ => new JsonObject { ["member"] = seat.Id.Value, ["wasDormant"] = seat.DormantFrom is not null },
                cancellationToken);
        });
        return command;
    }
}
