using System.CommandLine;
using System.Text.Json.Nodes;
using FedChain.Network.Chain;
using FedChain.Node.Chain;
using FedChain.Node.Governance;
using FedChain.Protocol.Ethereum.Contracts;

namespace FedChain.Node.Cli;

internal static class VoteCommand
{
    public static Command Create()
    {
        var sending = new Sending();
        var id = new Argument<string>("ID") { Description = "The proposal's id, or its first 6 digits or more." };
        var choice = new Argument<string>("CHOICE") { Description = "for, against or abstain." };
        choice.AcceptOnlyFromAmong("for", "against", "abstain");
        var reason = new Option<string>("--reason") { Description = "Why; everybody can read it.", HelpName = "TEXT", DefaultValueFactory = _ => "" };
        var despite = new Option<bool>("--despite-description") { Description = "Vote for what the calls do although the description says something else." };
        var command = sending.AddTo(new Command("vote", """
            Votes on a proposal with the holder's key. A vote can't be changed.

            Example:
              fedchain vote 0x1f6bd2 for --home /srv/fedchain
            """)
        { id, choice, reason, despite });
        command.SetAction(async (result, cancellationToken) =>
        {
            await using var writer = await sending.OpenAsync(result, cancellationToken);
            var support = Enum.Parse<VoteKind>(result.GetRequiredValue(choice), ignoreCase: true);
            var proposal = await new ProposalBook(writer.Session).FindAsync(result.GetRequiredValue(id), cancellationToken);
            await Voting.RequireVoteAsync(writer.Session, proposal, writer.Account, support, result.GetValue(despite), cancellationToken);
            var governance = new GovernanceClient(writer.Session.Client, writer.Session.Reader.State.Governance);
            var votes = proposal.Record.Count(VoteKind.For) + (support == VoteKind.For ? 1 : 0);
            await writer.SendAsync(
                governance.Vote(proposal.Id, support, result.GetRequiredValue(reason)),
                _ => $"{writer.Account} voted {Voting.Word(support)} on {RefusalText.Short(proposal.Id)}: {proposal.Words}. It has {votes} For of the {proposal.Needed} that it needs; voting lasts until {RefusalText.Time(proposal.VotingUntil)}.",
                _ => new JsonObject { ["proposal"] = proposal.Id.ToString(), ["voter"] = writer.Account.ToString(), ["support"] = Voting.Word(support), ["for"] = votes, ["needed"] = proposal.Needed },
                cancellationToken);
        });
        return command;
    }
}
