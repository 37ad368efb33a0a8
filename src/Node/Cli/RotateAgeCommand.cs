using System.CommandLine;
using System.Text.Json.Nodes;
using FedChain.Network.Chain;
using FedChain.Node.Seats;
using FedChain.Protocol.Envelope;
using FedChain.Protocol.Ethereum.Keys;

namespace FedChain.Node.Cli;

internal static class RotateAgeCommand
{
    public static Command Create()
    {
        var sending = new Sending(alone: true);
        var finish = new Option<bool>("--finish") { Description = "Send nothing: only take the next key into use, once the profile on the chain names it." };
        var command = new Command("age", """
            Replaces the age key that files are sealed to: makes the next one, publishes it in the profile, and takes it into use. What was sealed to
            the old one stays readable, so the rounds opened before go on. The peer must be stopped. Broken off at any point, the same command
            finishes what it began. --from operator works as well, and so does --calldata.

            Example:
              fedchain rotate age --home /srv/fedchain
            """)
        { finish };
        sending.AddTo(command);
        command.SetAction(async (result, cancellationToken) =>
        {
            await using var writer = await sending.OpenAsync(result, cancellationToken);
            var (home, session, state) = (writer.Home, writer.Session, writer.Session.Reader.State);
            if (Rotations.FinishAge(home, writer.Secret, state) is { } finished)
            {
                writer.Tell($"The rotation is done: files are sealed to {Rotations.InShort(finished)} from the next opening on.", Facts(finished));
                return;
            }

            if (result.GetValue(finish))
            {
                throw new UserErrorException(home.AgeKey.HasNext
                    ? "No profile on the chain names the next age key yet. Let the call that 'fedchain rotate age' printed be sent, then try again."
                    : "There is no rotation to finish: this home has no next age key. 'fedchain rotate age' begins one.");
            }

            var seat = SeatLookup.Of(session, writer.Account);
            home.AgeKey.Begin(writer.Secret, new KeystoreOptions());
            using var keys = home.UnlockPeerKeys(writer.Secret);
            var next = home.NextRecipients(writer.Secret);
            var profile = OwnProfile.WithAge(OwnProfile.Published(state, seat.Id), home.Settings, keys, next, state);
            var call = new MembershipClient(session.Client, session.Federation).UpdateProfile(OwnProfile.Text(profile));
            if (await writer.TransactAsync(call, cancellationToken) is not { } receipt)
            {
                await Console.Error.WriteLineAsync($"Nothing was sent. The next age key waits in {home.AgeKey.Next}. Once {writer.Account} has sent this call: fedchain rotate age --finish");
                return;
            }

            home.AgeKey.Finish();
            writer.Report(receipt, $"Files are sealed to {Rotations.InShort(next)} from the next opening on; the old key is kept for what was sealed before.", Facts(next));
        });
        return command;

        static JsonObject Facts(IEnumerable<AgeRecipient> recipients) => new() { ["age"] = new JsonArray([.. recipients.Select(r => (JsonNode)r.ToString())]) };
    }
}
