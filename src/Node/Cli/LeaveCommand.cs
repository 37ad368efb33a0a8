using System.CommandLine;
using System.Text.Json.Nodes;
using FedChain.Network.Chain;
using FedChain.Node.Chain;
using FedChain.Node.Seats;
using FedChain.Protocol.Rounds;
using Spectre.Console;

namespace FedChain.Node.Cli;

internal static class LeaveCommand
{
    public static Command Create()
    {
        var sending = new Sending();
        var yes = new Option<bool>("--yes") { Description = "Don't ask." };
        var command = new Command("leave", """
            Gives this institution's seat up, for good: coming back takes a new application and a vote. Only the holder can; the last member can't.
            What was submitted to the running round stays in it, but this member can no longer publish or attest.

            Example:
              fedchain leave --home /srv/fedchain
            """)
        { yes };
        sending.AddTo(command);
        command.SetAction(async (result, cancellationToken) =>
        {
            await using var writer = await sending.OpenAsync(result, cancellationToken);
            var session = writer.Session;
            var state = session.Reader.State;
            var seat = SeatLookup.HeldBy(session, writer.Account);
            if (seat.DormantFrom is null && state.Seats.Values.Count(s => s.DormantFrom is null) == 1)
            {
                throw new UserErrorException($"Seat {seat.Id} has the only vote of the federation {session.Federation}, and the last member can't leave. Just stop the peer.");
            }

            await Console.Error.WriteLineAsync(Meaning(session, seat));
            if (!writer.OnlyPrints && !result.GetValue(yes) && !Confirmed())
            {
                throw new UserErrorException("Nothing was sent; the seat is kept.");
            }

            await writer.SendAsync(
                new MembershipClient(session.Client, session.Federation).Resign(),
                _ => $"Seat {seat.Id} is given up. Stop the peer; keep the home as long as others may ask for what it holds.",
                _ => new JsonObject { ["left"] = seat.Id.Value },
                cancellationToken);
        });
        return command;
    }

    private static string Meaning(ChainSession session, Seat seat)
    {
        var state = session.Reader.State;
        var round = state.Current is { } current && current.PhaseAt(session.Reader.Now) is not (Phase.Finalised or Phase.Aborted) ? current : null;
        var now = round is null ? "No round is running."
            : round.SubmissionOf(seat.Id) is not null ? $"Its submission stays in round {round.Id}, where it can no longer publish or attest: a turn of its would lapse."
            : $"Round {round.Id} no longer waits for it.";
        return $"Seat {seat.Id} ({StatusCommand.NameOf(state, seat.Id)}) of {session.Federation} will be given up for good. {now} Coming back takes an application and a vote.";
    }

    private static bool Confirmed() => Console.IsInputRedirected
        ? throw new UserErrorException("Leaving asks for a confirmation, and there is no keyboard to ask at. Use --yes to leave without being asked; nothing was sent.")
        : AnsiConsole.Prompt(new ConfirmationPrompt("Give the seat up?") { DefaultValue = false });
}
