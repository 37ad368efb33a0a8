using System.CommandLine;
using System.Text.Json;
using FedChain.Node.Chain;
using FedChain.Node.Homes;
using FedChain.Node.Seats;
using FedChain.Protocol;
using FedChain.Protocol.Rounds;

namespace FedChain.Node.Cli;

internal static class ProfileCommand
{
    public static Command Create() => new("profile", "Shows or changes what a member says about itself on the chain: name, endpoints, age recipients, model.")
    {
        Show(),
        ProfileUpdateCommand.Create(),
    };

    private static Command Show()
    {
        var home = CommonOptions.Home(required: false);
        var rpc = CommonOptions.Rpc();
        var federation = CommonOptions.Federation();
        var member = new Option<uint?>("--member") { Description = "Only this seat, or applicant; all seats if not given, or the home's own.", HelpName = "ID" };
        var json = CommonOptions.Json();
        var command = new Command("show", """
            Shows the published profile of a member, an applicant, this home's seat, or of everybody.

            Example:
              fedchain profile show --home /srv/fedchain
              fedchain profile show --rpc http://127.0.0.1:8545 --federation 0x5fbdb2315678afecb367f032d93f642f64180aa3 --member 2
            """)
        { home, rpc, federation, member, json };
        command.SetAction(async (result, cancellationToken) =>
        {
            var folder = result.GetValue(home) is { } path ? HomeFolder.Open(path.FullName) : null;
            await using var session = await ChainSession.OpenAsync(folder, result.GetValue(rpc), result.GetValue(federation), TimeProvider.System, cancellationToken);
            var state = session.Reader.State;
            var ids = result.GetValue(member) is { } id ? [Known(session, new MemberId(id))] : OwnOf(folder, state) is { } own ? [own] : state.Seats.Keys.ToList();
            if (result.GetValue(json))
            {
                Console.WriteLine(JsonSerializer.Serialize(ids.Select(i => ToJson(state, i)), JsonOutput.Options));
                return;
            }

            foreach (var i in ids)
            {
                Write(state, i);
            }
        });
        return command;
    }

    private static MemberId Known(ChainSession session, MemberId id) => session.Reader.State.Profiles.ContainsKey(id) ? id : SeatLookup.At(session, id).Id;

    /// <summary>The seat of the home's keys; their addresses stand in the keystores in the clear.</summary>
    private static MemberId? OwnOf(HomeFolder? home, FederationState state)
    {
        var (holder, op) = (home?.HolderKey.Address, home?.OperatorKey.Address);
        return state.Seats.Values.FirstOrDefault(s => s.Operator == op || s.Holder == holder)?.Id;
    }

    private static object ToJson(FederationState state, MemberId id) => OwnProfile.Published(state, id) is { } profile
        ? new { member = id.Value, name = profile.Name, endpoints = profile.Endpoints, age = profile.Age, baseModel = profile.BaseModel.ToString(), adapterConfig = profile.AdapterConfig.ToString() }
        : new { member = id.Value, unreadable = state.Profiles.GetValueOrDefault(id) };

    private static void Write(FederationState state, MemberId id)
    {
        Console.WriteLine($"member {id}{(state.Seats.ContainsKey(id) ? "" : " (no seat)")}");
        if (OwnProfile.Published(state, id) is not { } profile)
        {
            Console.WriteLine($"  its profile can't be read, so nothing is sealed to it and nothing fetched from it: {JsonSerializer.Serialize(state.Profiles.GetValueOrDefault(id))}");
            return;
        }

        foreach (var (name, value) in OwnProfile.Fields(profile))
        {
            Console.WriteLine($"  {name,-22} {OwnProfile.InShort(value)}");
        }
    }
}
