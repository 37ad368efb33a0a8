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
        var adapter = new Argument<string?>("adapter") { Description = "round:NUMBER, round:latest as it is now, imported:NAME, or none for the base model.", Arity = ArgumentArity.ZeroOrOne };
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
                throw new UserErrorException("Say what to keep: round:NUMBER, round:latest, imported:NAME or none; or --clear.");
            }

            if (named is null)
            {
                KeptAdapter.Clear(folder);
                Console.WriteLine("No adapter is kept any more: 'generate' and 'evaluate' use the latest.");
                return;
            }

            var reference = AdapterReference.Parse(named);
            if (reference.IsBaseModel)
            {
                Keep(new KeptAdapter(null, null), "the base model as it is", "");
                return;
            }

            if (reference.IsImported)
            {
                var digest = ImportedAdapter.Find(folder, reference.Text!).Digest;
                Keep(new KeptAdapter(null, digest, reference.Text), $"{named}, adapter {digest}", "");
                return;
            }

            if (!reference.IsOfRound)
            {
                throw new UserErrorException(named == "kept"
                    ? "'kept' is what this command sets. Name the adapter: round:NUMBER, round:latest, imported:NAME or none."
                    : $"A home keeps what it holds. 'fedchain adapter import {named}' takes the folder in; then keep imported:NAME.");
            }

            await using var session = await ChainSession.OpenAsync(folder, result.GetValue(rpc), federation: null, TimeProvider.System, cancellationToken);
            var (round, _) = reference.RoundIn(session.Reader.State);
            var kept = new KeptAdapter(round.Id, round.Winner!.Aggregate);
            Keep(kept, $"{kept.Name}, adapter {kept.Adapter}", File.Exists(folder.AdapterFile(round.Winner.Aggregate)) ? "" : " This home doesn't hold it yet; it is fetched when it is first used.");

            void Keep(KeptAdapter adapter, string what, string note)
            {
                adapter.Write(folder);
                Console.WriteLine($"Kept: {what}. 'generate' and 'evaluate' use it until 'fedchain adapter keep' says otherwise.{note}");
            }
        });
        return command;
    }
}
