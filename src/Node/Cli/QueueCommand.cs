using System.CommandLine;
using System.Text.Json.Nodes;
using FedChain.Network.Chain;
using FedChain.Node.Chain;
using FedChain.Node.Governance;
using FedChain.Protocol.Ethereum.Contracts;

namespace FedChain.Node.Cli;

internal static class QueueCommand
{
    public static Command Create()
    {
        var sending = new Sending();
        var id = new Argument<string>("ID") { Description = "The proposal's id, or its first 6 digits or more." };
        var command = sending.AddTo(new Command("queue", """
            Queues a proposal that passed: its time of execution is set. Anybody may.

            Example:
              fedchain queue 0x1f6bd2 --home /srv/fedchain
            """)
        { id });
        command.SetAction(async (result, cancellationToken) =>
        {
            await using var writer = await sending.OpenAsync(result, cancellationToken);
            var proposal = await new ProposalBook(writer.Session).FindAsync(result.GetRequiredValue(id), cancellationToken);
            Voting.RequireQueueable(proposal);
            await writer.SendAsync(
                proposal.Record.Proposal.Queue(writer.Session.Reader.State.Governance),
                receipt => $"Queued {RefusalText.Short(proposal.Id)}: {proposal.Words}. It can be executed from {RefusalText.Time(EtaOf(receipt))} on, within {proposal.Grace / 86400} days.",
                receipt => new JsonObject { ["proposal"] = proposal.Id.ToString(), ["eta"] = EtaOf(receipt), ["expiresAt"] = EtaOf(receipt) + proposal.Grace },
                cancellationToken);
        });
        return command;
    }

    private static ulong EtaOf(Receipt receipt) => receipt.Logs.Select(l => ContractEvents.Decode(l.Topics, l.Data.Span)).OfType<ProposalQueued>().Single().Eta;
}
