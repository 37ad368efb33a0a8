using System.CommandLine;
using FedChain.Node.Adapters;
using FedChain.Node.Chain;
using FedChain.Node.Homes;
using FedChain.Node.Models;

namespace FedChain.Node.Cli;

internal static class AdapterKeepCommand
{
    public static Command Create()
    {
        var adapter = new Argument<string?>("adapter") { Description = "round:NUMBER, round:latest as it is now, or none for the base model.", Arity = ArgumentArity.ZeroOrOne };
        var clear = new Option<bool>("--clear") { Description = "Keep none in particular: use the latest again." };
        var home = CommonOptions.Home();
        var rpc = CommonOptions.Rpc();
        var command = new Command("keep", """
            Chooses the adapter that this institution uses, whatever later rounds bring; training goes on as before.

            Examples:
              fedchain adapter keep round:5 --home /srv/fedchain
              fedchain adapter keep --clear --home /srv/fedchain
            """)
        { adapter, clear, home, rpc };
        command.SetAction(async (result, cancellationToken) =>
        {
            var folder = HomeFolder.Open(result.GetRequiredValue(home).FullName);
            var named = result.GetValue(adapter);
            if (result.GetValue(clear) == (named is not null))
            {
                throw new UserErrorException("Say what to keep: round:NUMBER, round:latest or none; or --clear.");
            }

            if (named is null)
            {
                KeptAdapter.Clear(folder);
                Console.WriteLine("No adapter is kept any more: 'generate' and 'evaluate' use the latest.");
                return;
            }

            if (named == "none")
            {
                new KeptAdapter(null, null).Write(folder);
                Console.WriteLine("Kept: the base model as it is. 'generate' and 'evaluate' use it until 'fedchain adapter keep' says otherwise.");
                return;
            }

            if (named == "kept")
            {
                throw new UserErrorException("'kept' is what this command sets. Name the adapter: round:NUMBER, round:latest or none.");
            }

            await using var session = await ChainSession.OpenAsync(folder, result.GetValue(rpc), federation: null, TimeProvider.System, cancellationToken);
            var (round, _) = AdapterReference.Parse(named).Resolve(kept: null, session.Reader.State);
            var kept = new KeptAdapter(round!.Id, round.Winner!.Aggregate);
            kept.Write(folder);
            Console.WriteLine($"Kept: {kept.Name}, adapter {kept.Adapter}. 'generate' and 'evaluate' use it until 'fedchain adapter keep' says otherwise."
                + (File.Exists(folder.AdapterFile(round.Winner.Aggregate)) ? "" : " This home doesn't hold it yet; it is fetched when it is first used."));
        });
        return command;
    }
}
