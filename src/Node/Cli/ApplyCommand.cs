using System.CommandLine;
using System.Text.Json.Nodes;
using FedChain.Network.Chain;
using FedChain.Node.Governance;

namespace FedChain.Node.Cli;

internal static class ApplyCommand
{
    public static Command Create()
    {
        var sending = new Sending();
        var again = new Option<bool>("--again") { Description = "Apply although an application of this holder waits already." };
        var command = sending.AddTo(new Command("apply", """
            Applies for a seat in a federation: publishes this home's profile, operator and first commitment. The members vote on it.

            Example:
              fedchain apply --home /srv/fedchain --rpc https://rpc.example --federation 0x...
            """)
        { again });
        command.SetAction(async (result, cancellationToken) =>
        {
            await using var writer = await sending.OpenAsync(result, cancellationToken);
            using var inUse = writer.Home.Lock();
            using var keys = writer.Home.UnlockPeerKeys(sending.PassphraseOf(result));
            var session = writer.Session;
            var prepared = await Applying.PrepareAsync(session, writer.Home, writer.Account, keys, result.GetValue(again), cancellationToken);
            await writer.SendAsync(prepared.Call, Done, Facts, cancellationToken);
            writer.Home.Save(writer.Home.Settings with { Rpc = session.Urls, ChainId = session.ChainId, Federation = session.Federation });

            string Done(Receipt receipt)
            {
                var applied = Applying.Read(receipt);
                var late = applied.Id == prepared.Id ? ""
                    : $"\nAnother application came between, so the id is {applied.Id} and not {prepared.Id}, for which the commitment was made. Once admitted, run: fedchain recommit --home {writer.Home.Path}";
                return $"Applied as member id {applied.Id}: application {applied.Application}.\nA member proposes its admission with: fedchain propose admit {applied.Id} --home HOME{late}\n";
            }

            JsonObject Facts(Receipt receipt)
            {
                var applied = Applying.Read(receipt);
                return new JsonObject
                {
                    ["id"] = applied.Id.Value,
                    ["application"] = applied.Application.ToString(),
                    ["propose"] = $"fedchain propose admit {applied.Id}",
                    ["recommit"] = applied.Id != prepared.Id,
                };
            }
        });
        return command;
    }
}
