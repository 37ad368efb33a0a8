using System.CommandLine;
using System.Text.Json.Nodes;
using FedChain.Network.Chain;
using FedChain.Node.Chain;
using FedChain.Node.Governance;
using FedChain.Protocol;
using FedChain.Protocol.Envelope;
using FedChain.Protocol.Ethereum;
using FedChain.Protocol.Ethereum.Contracts;
using FedChain.Protocol.Governance;

namespace FedChain.Node.Cli;

internal static class ProposeCommand
{
    private const string Home = "--home /srv/fedchain";

    public static Command Create() => new("propose", $"""
        Proposes something for the members to vote on. The description says what the calls do; --reason adds why.

        Example:
          fedchain propose admit 5 {Home} --reason "Visited in May"
        """)
    {
        Admit(),
        Expel(),
        Recover(),
        Auditor(),
        ProposePolicyCommand.Create(),
        Paused("pause", paused: true),
        Paused("resume", paused: false),
        Successor(),
        Setting(),
    };

    /// <summary>A subcommand that makes one action and proposes it.</summary>
    internal static Command Sub(string name, string help, IEnumerable<Symbol> symbols, Func<ParseResult, Writer, CancellationToken, Task<ProposedAction>> act)
    {
        var sending = new Sending();
        var reason = new Option<string>("--reason") { Description = "Why; follows what the calls do in the description.", HelpName = "TEXT", DefaultValueFactory = _ => "" };
        var command = new Command(name, help);
        foreach (var symbol in symbols)
        {
            if (symbol is Argument argument)
            {
                command.Add(argument);
            }
            else
            {
                command.Add((Option)symbol);
            }
        }

        command.Add(reason);
        sending.AddTo(command);
        command.SetAction(async (result, cancellationToken) =>
        {
            await using var writer = await sending.OpenAsync(result, cancellationToken);
            var action = await act(result, writer, cancellationToken);
            var proposal = await Proposing.PrepareAsync(writer.Session, action, result.GetRequiredValue(reason).Trim(), cancellationToken);
            var governance = new GovernanceClient(writer.Session.Client, writer.Session.Reader.State.Governance);
            await writer.SendAsync(governance.Propose(proposal), receipt => Done(proposal, receipt), receipt => Facts(proposal, receipt), cancellationToken);
        });
        return command;
    }

    private static string Done(Proposal proposal, Receipt receipt)
    {
        var created = Read(receipt);
        return $"""
            Proposed {proposal.Id}
              {ProposalWords.Claim(proposal.Description)}
            Voting lasts from {RefusalText.Time(created.VoteStart + 1)} to {RefusalText.Time(created.VoteEnd)}: fedchain vote {RefusalText.Short(proposal.Id)} for|against|abstain --home HOME

            """;
    }

    private static JsonObject Facts(Proposal proposal, Receipt receipt)
    {
        var created = Read(receipt);
        return new JsonObject
        {
            ["proposal"] = proposal.Id.ToString(),
            ["does"] = ProposalWords.Claim(proposal.Description),
            ["description"] = proposal.Description,
            ["votingFrom"] = created.VoteStart + 1,
            ["votingUntil"] = created.VoteEnd,
        };
    }

    private static ProposalCreated Read(Receipt receipt) => receipt.Logs.Select(l => ContractEvents.Decode(l.Topics, l.Data.Span)).OfType<ProposalCreated>().Single();

    private static Command Admit()
    {
        var id = Member("The id that the application got.");
        var anyway = new Option<bool>("--anyway") { Description = "Although the applicant's model is another than the policy's." };
        return Sub("admit", $"""
            Proposes to admit an application, once it is checked: readable profile, usable age recipients, the policy's model.

            Example:
              fedchain propose admit 5 {Home}
            """, [id, anyway], (result, writer, _) => Task.FromResult(Proposing.Admit(writer.Session.Reader.State, new MemberId(result.GetValue(id)), result.GetValue(anyway))));
    }

    private static Command Expel()
    {
        var id = Member("The member's id.");
        return Sub("expel", $"""
            Proposes to take a member's seat away, for ever.

            Example:
              fedchain propose expel 3 {Home} --reason "Left the network"
            """, [id], (result, _, _) => Task.FromResult<ProposedAction>(new ProposedAction.Expel(new MemberId(result.GetValue(id)))));
    }

    private static Command Recover()
    {
        var id = Member("The member's id.");
        var holder = AddressArgument("NEWHOLDER", "The address that is to hold the seat.");
        return Sub("recover", $"""
            Proposes to give a seat whose holder's key is lost to another holder. The operator stays until the new holder names another.

            Example:
              fedchain propose recover 3 0x... {Home}
            """, [id, holder], (result, _, _) =>
            Task.FromResult<ProposedAction>(new ProposedAction.Recover(new MemberId(result.GetValue(id)), result.GetRequiredValue(holder))));
    }

    private static Command Auditor()
    {
        var granted = AddressArgument("ADDRESS", "The auditor's address.");
        var recipient = new Argument<string>("RECIPIENT") { Description = "The auditor's age recipient, age1...." };
        var revoked = AddressArgument("ADDRESS", "The auditor's address.");
        return new Command("auditor", $"""
            Proposes to let an auditor read, or to stop that.

            Example:
              fedchain propose auditor grant 0x... age1... {Home}
            """)
        {
            Sub("grant", $"""
                Proposes to seal global adapters to an auditor too, from the next opening on.

                Example:
                  fedchain propose auditor grant 0x... age1... {Home}
                """, [granted, recipient], (result, _, _) =>
                Task.FromResult<ProposedAction>(new ProposedAction.GrantAuditor(result.GetRequiredValue(granted), RecipientOf(result.GetRequiredValue(recipient))))),
            Sub("revoke", $"""
                Proposes to seal nothing more to an auditor. What was sealed to it stays readable to it.

                Example:
                  fedchain propose auditor revoke 0x... {Home}
                """, [revoked], (result, _, _) => Task.FromResult<ProposedAction>(new ProposedAction.RevokeAuditor(result.GetRequiredValue(revoked)))),
        };
    }

    private static Command Paused(string name, bool paused) => Sub(name, $"""
        Proposes to {name} the opening of rounds{(paused ? "; the running round goes on" : "")}.

        Example:
          fedchain propose {name} {Home}
        """, [], (_, _, _) => Task.FromResult<ProposedAction>(new ProposedAction.SetPaused(paused)));

    private static Command Successor()
    {
        var rounds = AddressArgument("ADDRESS", "The new Rounds contract, deployed with this Membership and its Governance.");
        var anyway = new Option<bool>("--anyway") { Description = "Although its code is not this program's release build." };
        return Sub("successor", $"""
            Proposes another Rounds contract to replace the present one.

            Example:
              fedchain propose successor 0x... {Home}
            """, [rounds, anyway], (result, writer, cancellationToken) =>
            Proposing.SucceedAsync(writer.Session, result.GetRequiredValue(rounds), result.GetValue(anyway), cancellationToken));
    }

    private static Command Setting()
    {
        var settings = new Dictionary<string, GovernanceSetting>
        {
            ["voting-delay"] = GovernanceSetting.VotingDelay,
            ["voting-period"] = GovernanceSetting.VotingPeriod,
            ["execution-delay"] = GovernanceSetting.ExecutionDelay,
        };
        var name = new Argument<string>("SETTING") { Description = "voting-delay, voting-period or execution-delay." };
        name.AcceptOnlyFromAmong([.. settings.Keys]);
        var seconds = new Argument<uint>("SECONDS") { Description = "Its new value." };
        return Sub("setting", $"""
            Proposes another delay or period for votes themselves, in seconds.

            Example:
              fedchain propose setting voting-period 86400 {Home}
            """, [name, seconds], (result, _, _) =>
            Task.FromResult<ProposedAction>(new ProposedAction.Set(settings[result.GetRequiredValue(name)], result.GetValue(seconds))));
    }

    private static Argument<uint> Member(string description) => new("ID") { Description = description };

    private static Argument<Address> AddressArgument(string name, string description) => new(name)
    {
        Description = description,
        CustomParser = result =>
        {
            try
            {
                return AddressText.ParseChecked(result.Tokens[0].Value);
            }
            catch (FormatException e)
            {
                result.AddError($"{name} takes an address, 0x and 40 hex digits. {e.Message}");
                return default;
            }
        },
    };

    private static string RecipientOf(string text)
    {
        try
        {
            return AgeRecipient.Parse(text).ToString();
        }
        catch (FormatException e)
        {
            throw new UserErrorException(e.Message, e);
        }
    }
}
