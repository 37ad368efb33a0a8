using System.CommandLine;
using System.Text.Json.Nodes;
using FedChain.Network.Chain;
using FedChain.Node.Peer;
using FedChain.Node.Seats;

namespace FedChain.Node.Cli;

internal static class RecommitCommand
{
    public static Command Create()
    {
        var sending = new Sending("operator");
        var command = new Command("recommit", """
            Makes another commitment for this institution's seat, if none of the home's keys opens the one on the chain: an application was made for
            another id, or the operator's key was lost. It holds from the next round on. A peer that starts does this by itself.

            Example:
              fedchain recommit --home /srv/fedchain
            """);
        sending.AddTo(command);
        command.SetAction(async (result, cancellationToken) =>
        {
            await using var writer = await sending.OpenAsync(result, cancellationToken);
            var (session, state) = (writer.Session, writer.Session.Reader.State);
            var seat = SeatLookup.OperatedBy(session, writer.Account);
            using var keys = writer.Home.UnlockPeerKeys(writer.Secret);
            if (keys.Operator.Address != writer.Account)
            {
                throw new UserErrorException($"The commitment follows from the operator's key, and {writer.Account} is not the operator of this home, {keys.Operator.Address}. Leave --from out.");
            }

            var secrets = new SeatSecrets(new PeerIdentity(session.ChainId, session.Federation, state.RoundsContract, seat.Id, keys));
            var rounds = new RoundsClient(session.Client, state.RoundsContract);
            if (!await secrets.MustRecommitAsync(rounds, state, cancellationToken))
            {
                writer.Tell($"The commitment of seat {seat.Id} is this home's, or one that is waits for the next round; nothing was sent.", new JsonObject { ["recommitted"] = false });
                return;
            }

            var member = await rounds.GetMemberAsync(seat.Id, cancellationToken);
            await writer.SendAsync(
                rounds.Recommit(secrets.Next(member)),
                _ => $"Seat {seat.Id} has another commitment, number {member.Commitments}; it holds from round {state.NextRound} on.",
                _ => new JsonObject { ["recommitted"] = true, ["index"] = member.Commitments },
                cancellationToken);
        });
        return command;
    }
}
