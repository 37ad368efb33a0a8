using System.CommandLine;
using System.Text.Json.Nodes;
using FedChain.Node.Chain;
using FedChain.Node.Governance;

namespace FedChain.Node.Cli;

internal static class CancelCommand
{
    public static Command Create()
    {
        var sending = new Sending();
        var id = new Argument<string>("ID") { Description = "The proposal's id, or its first 6 digits or more." };
        var command = sending.AddTo(new Command("cancel", """
            Takes a proposal back. Only its proposer can, and only before voting begins, which the voting delay gives time for.

            Example:
              fedchain cancel 0x1f6bd2 --home /srv/fedchain
            """)
        { id });
        command.SetAction(async (result, cancellationToken) =>
        {
            await using var writer = await sending.OpenAsync(result, cancellationToken);
            var proposal = await new ProposalBook(writer.Session).FindAsync(result.GetRequiredValue(id), cancellationToken);
            Voting.RequireCancelable(proposal, writer.Account);
            await writer.SendAsync(
                proposal.Record.Proposal.Cancel(writer.Session.Reader.State.Governance),
                _ => $"Canceled {RefusalText.Short(proposal.Id)}: {proposal.Words}.",
                _ => new JsonObject { ["proposal"] = proposal.Id.ToString() },
                cancellationToken);
        });
        return command;
    }
}
