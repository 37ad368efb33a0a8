using System.CommandLine;
using System.Text.Json.Nodes;
using FedChain.Network.Chain;
using FedChain.Node.Chain;
using FedChain.Node.Peer;
using FedChain.Node.Seats;
using FedChain.Protocol;

namespace FedChain.Node.Cli;

internal static class RecoverCommand
{
    public static Command Create()
    {
        var sending = new Sending(alone: true);
        var command = new Command("recover", """
            Takes over a seat that a vote gave to this home's holder, because its keys were lost: names this home's operator and publishes its profile. What is
            done already isn't sent again. Before the vote it says what the others have to run.

            Example:
              fedchain init --home /srv/fedchain-2 --name "St. Anne's Hospital" --rpc https://rpc.example --federation 0x...
              fedchain recover --home /srv/fedchain-2
            """);
        sending.AddTo(command);
        command.SetAction(async (result, cancellationToken) =>
        {
            await using var writer = await sending.OpenAsync(result, cancellationToken);
            var (home, session, state) = (writer.Home, writer.Session, writer.Session.Reader.State);
            var seat = state.Seats.Values.FirstOrDefault(s => s.Holder == writer.Account)
                ?? throw new UserErrorException(NotYet(session, writer.Account));
            using var keys = home.UnlockPeerKeys(writer.Secret);
            var membership = new MembershipClient(session.Client, session.Federation);
            var sent = 0;
            if (seat.Operator != keys.Operator.Address)
            {
                var identity = new PeerIdentity(session.ChainId, session.Federation, state.RoundsContract, seat.Id, keys);
                var view = await new RoundsClient(session.Client, state.RoundsContract).GetMemberAsync(seat.Id, cancellationToken);
                await writer.SendAsync(
                    membership.SetOperator(keys.Operator.Address, new SeatSecrets(identity).Next(view)),
                    _ => $"Seat {seat.Id} is operated by {keys.Operator.Address} instead of {seat.Operator}.",
                    _ => new JsonObject { ["operator"] = keys.Operator.Address.ToString() },
                    cancellationToken);
                sent++;
            }

            var profile = OwnProfile.FromHome(home.Settings, keys, state);
            if (!profile.Equals(OwnProfile.Published(state, seat.Id)))
            {
                await writer.SendAsync(
                    membership.UpdateProfile(OwnProfile.Text(profile)),
                    _ => $"Seat {seat.Id} has this home's profile: {profile.Name}, {string.Join(", ", profile.Endpoints)}, and its age recipients.",
                    _ => new JsonObject { ["profile"] = OwnProfile.Text(profile) },
                    cancellationToken);
                sent++;
            }

            if (writer.OnlyPrints && sent > 0)
            {
                return;
            }

            home.Save(home.Settings with { Rpc = session.Urls, ChainId = session.ChainId, Federation = session.Federation });
            var dormant = seat.DormantFrom is null ? "" : " Its vote is retired as dormant; 'fedchain wake' gives it back.";
            await Console.Error.WriteLineAsync(sent == 0
                ? $"Seat {seat.Id} is this home's in every part; nothing was sent.{dormant}"
                : $"Seat {seat.Id} is taken over.{dormant} Give {keys.Operator.Address} something to pay for gas, then run: fedchain node --home {home.Path}");
        });
        return command;
    }

    private static string NotYet(ChainSession session, Address holder) =>
        $"{holder}, the holder of this home, holds no seat in the federation {session.Federation} yet. A member has to run "
        + $"'fedchain propose recover ID {holder}', the members vote, and once that is executed run this again. ID is the lost seat's: "
        + string.Join(", ", session.Reader.State.Seats.Values.Select(s => $"{s.Id} {StatusCommand.NameOf(session.Reader.State, s.Id)}")) + ".";
}
