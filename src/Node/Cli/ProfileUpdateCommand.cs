using System.CommandLine;
using System.Text.Json.Nodes;
using FedChain.Network.Chain;
using FedChain.Node.Seats;
using FedChain.Protocol.Manifests;

namespace FedChain.Node.Cli;

internal static class ProfileUpdateCommand
{
    public static Command Create()
    {
        var sending = new Sending();
        var name = new Option<string?>("--name") { Description = "The institution's display name.", HelpName = "NAME" };
        var endpoints = new Option<string[]>("--endpoint") { Description = "A content endpoint's URL as the other members reach it; repeat it for several. Replaces those published.", HelpName = "URL" };
        var fromHome = new Option<bool>("--from-home") { Description = "Everything as the home has it: name and endpoint of home.json, age identity, and the model and adapter of the latest policy." };
        var command = new Command("update", """
            Publishes another profile for this institution's seat, and says what differs. Nothing is sent if nothing does. Rounds opened before go by the
            profile of their opening. --name and a single --endpoint are noted in home.json too.

            Example:
              fedchain profile update --home /srv/fedchain --endpoint https://fedchain.st-anne.example
              fedchain profile update --home /srv/fedchain --from-home
            """)
        { name, endpoints, fromHome };
        sending.AddTo(command);
        command.SetAction(async (result, cancellationToken) =>
        {
            await using var writer = await sending.OpenAsync(result, cancellationToken);
            var (home, session, state) = (writer.Home, writer.Session, writer.Session.Reader.State);
            var seat = SeatLookup.Of(session, writer.Account);
            var (newName, newEndpoints) = (result.GetValue(name), result.GetValue(endpoints) is { Length: > 0 } given ? given : null);
            if (newName is null && newEndpoints is null && !result.GetValue(fromHome))
            {
                throw new UserErrorException("Change what? Use --name, --endpoint or --from-home; 'fedchain profile show' shows what is published.");
            }

            var settings = home.Settings with
            {
                Name = newName ?? home.Settings.Name,
                Endpoint = newEndpoints is [var only] ? only : home.Settings.Endpoint,
            };
            var published = OwnProfile.Published(state, seat.Id);
            if (published is null && !result.GetValue(fromHome))
            {
                throw new UserErrorException($"The published profile of seat {seat.Id} can't be read, so a part of it can't be changed. --from-home publishes a whole one.");
            }

            Profile profile;
            try
            {
                profile = result.GetValue(fromHome) ? Whole() : published!;
                profile = new Profile(newName ?? profile.Name, profile.Age, newEndpoints ?? [.. profile.Endpoints], profile.BaseModel, profile.AdapterConfig);
            }
            catch (ArgumentException e)
            {
                throw new UserErrorException($"{e.Message} Nothing was sent.", e);
            }

            var differences = OwnProfile.Difference(published, profile).ToList();
            if (differences.Count == 0)
            {
                writer.Tell($"The profile of seat {seat.Id} says this already; nothing was sent.", new JsonObject { ["changed"] = new JsonArray() });
                return;
            }

            await Console.Error.WriteLineAsync(string.Join(Environment.NewLine, differences));
            var receipt = await writer.SendAsync(
                new MembershipClient(session.Client, session.Federation).UpdateProfile(OwnProfile.Text(profile)),
                _ => $"The profile of seat {seat.Id} is published; rounds opened from now on go by it.",
                _ => new JsonObject { ["changed"] = new JsonArray([.. differences.Select(d => (JsonNode)d)]) },
                cancellationToken);
            if (receipt is not null && settings != home.Settings)
            {
                home.Save(settings);
            }

            Profile Whole()
            {
                using var keys = home.UnlockPeerKeys(writer.Secret);
                return OwnProfile.FromHome(settings, keys, state);
            }
        });
        return command;
    }
}
