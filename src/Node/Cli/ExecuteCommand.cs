using System.CommandLine;
using System.Text.Json.Nodes;
using FedChain.Network.Chain;
using FedChain.Node.Chain;
using FedChain.Node.Governance;
using FedChain.Protocol.Ethereum.Contracts;

namespace FedChain.Node.Cli;

internal static class ExecuteCommand
{
    public static Command Create()
    {
        var sending = new Sending();
        var id = new Argument<string>("ID") { Description = "The proposal's id, or its first 6 digits or more." };
        var command = sending.AddTo(new Command("execute", """
            Executes a queued proposal once its time has come. Anybody may.

            Example:
              fedchain execute 0x1f6bd2 --home /srv/fedchain
            """)
        { id });
        command.SetAction(async (result, cancellationToken) =>
        {
            await using var writer = await sending.OpenAsync(result, cancellationToken);
            var proposal = await new ProposalBook(writer.Session).FindAsync(result.GetRequiredValue(id), cancellationToken);
            Voting.RequireExecutable(proposal);
            try
            {
                await writer.SendAsync(
                    proposal.Record.Proposal.Execute(writer.Session.Reader.State.Governance),
                    _ => $"Executed {RefusalText.Short(proposal.Id)}: {proposal.Words}.",
                    _ => new JsonObject { ["proposal"] = proposal.Id.ToString(), ["does"] = proposal.Words },
                    cancellationToken);
            }
            catch (ChainException e) when (e.Refusal is { } refusal && !refusal.Is(ContractErrors.TooEarlyToExecute))
            {
                throw new UserErrorException($"Proposal {RefusalText.Short(proposal.Id)} ({proposal.Words}) can't be executed, since its call fails: {RefusalText.Of(refusal)}", e);
            }
        });
        return command;
    }
}
