using System.CommandLine;
using System.Text.Json;
using FedChain.Node.Chain;
using FedChain.Node.Governance;
using FedChain.Protocol;
using FedChain.Protocol.Ethereum.Contracts;
using FedChain.Protocol.Governance;
using FedChain.Protocol.Rounds;

namespace FedChain.Node.Cli;

internal static class ProposalsCommand
{
    public static Command Create()
    {
        var home = CommonOptions.Home(required: false);
        var rpc = CommonOptions.Rpc();
        var federation = CommonOptions.Federation();
        var all = new Option<bool>("--all") { Description = "Also those that have ended." };
        var json = CommonOptions.Json();
        var id = new Argument<string?>("ID") { Description = "One proposal: its id, or its first 6 digits or more.", Arity = ArgumentArity.ZeroOrOne };
        var command = new Command("proposals", """
            Shows what is voted on: what each proposal would do, read from its calls, and its votes and deadlines.

            Example:
              fedchain proposals --home /srv/fedchain
            """)
        { id, home, rpc, federation, all, json };
        command.SetAction(async (result, cancellationToken) =>
        {
            await using var session = await ChainSession.OpenAsync(result.GetValue(home), result.GetValue(rpc), result.GetValue(federation), TimeProvider.System, cancellationToken);
            var book = new ProposalBook(session);
            var views = result.GetValue(id) is { } one ? [await book.FindAsync(one, cancellationToken)] : await book.ReadAsync(result.GetValue(all), cancellationToken);
            var reports = new List<object>();
            foreach (var view in views)
            {
                var facts = await ProposalFacts.OfAsync(session, view, cancellationToken);
                if (result.GetValue(json))
                {
                    reports.Add(ToJson(session.Reader.State, view, facts));
                }
                else
                {
                    Write(session.Reader.State, view, facts);
                }
            }

            if (result.GetValue(json))
            {
                Console.WriteLine(JsonSerializer.Serialize(reports, JsonOutput.Options));
            }
            else if (views.Count == 0)
            {
                Console.WriteLine($"No proposal is live{(session.Reader.State.Proposals.IsEmpty ? "" : "; --all shows those that have ended")}.");
            }
        });
        return command;
    }

    private static object ToJson(FederationState now, ProposalView view, ProposalFacts facts) => new
    {
        id = view.Id.ToString(),
        does = view.Words,
        description = view.Record.Created.Description,
        descriptionAgrees = view.IsTrue,
        proposer = new { address = view.Record.Created.Proposer.ToString(), name = NameOf(now, view.Record.Created.Proposer) },
        state = Voting.Word(view.State),
        voters = view.Voters,
        needed = view.Needed,
        votes = view.Record.Votes.Values.Select(v => new { voter = v.Voter.ToString(), name = NameOf(now, v.Voter), support = Voting.Word(v.Support), reason = v.Reason }),
        votingFrom = view.VotingFrom,
        votingUntil = view.VotingUntil,
        eta = view.Record.Eta,
        expiresAt = view.State is ProposalState.Succeeded or ProposalState.Queued or ProposalState.Expired ? view.ExpiresAt : (ulong?)null,
        calls = view.Actions.Zip(view.Record.Proposal.Calls).Select(pair => new
        {
            kind = JsonNamingPolicy.CamelCase.ConvertName(pair.First.GetType().Name),
            to = pair.Second.To.ToString(),
            data = Hex.Encode(pair.Second.Data.Span),
            changes = pair.First is ProposedAction.SetPolicy policy
                ? PolicyChange.Between(view.Before.Policies.GetValueOrDefault(policy.Expected), policy.Json, policy.Params, policy.Genesis) : null,
            applicant = pair.First is ProposedAction.Admit(var id, var application) ? ApplicantOf(ProposalFacts.AdmissionOf(view, now, id, application)) : null,
        }),
        facts = facts.Facts,
        warnings = facts.Warnings,
    };

    private static object? ApplicantOf(Admission? admission) => admission is null ? null : new
    {
        id = admission.Application.Id.Value,
        holder = admission.Application.Holder.ToString(),
        @operator = admission.Application.Operator.ToString(),
        name = admission.Profile?.Name,
        endpoints = admission.Profile?.Endpoints.AsEnumerable(),
        age = admission.Profile?.Age.AsEnumerable(),
        baseModel = admission.Profile?.BaseModel.ToString(),
        adapterConfig = admission.Profile?.AdapterConfig.ToString(),
        admission.Faults,
        admission.Differences,
    };

    private static void Write(FederationState now, ProposalView view, ProposalFacts facts)
    {
        Console.WriteLine($"proposal {view.Id}  {Voting.Word(view.State).ToUpperInvariant()}");
        Console.WriteLine($"  does     {view.Words}");
        Indent("           ", facts.Facts);
        if (!view.IsTrue)
        {
            Console.WriteLine("  !!!      THE DESCRIPTION DISAGREES WITH THE CALLS");
            Console.WriteLine($"           it says:  {VisibleText.Line(view.Claim)}");
            Console.WriteLine($"           it does:  {view.Words}");
        }

        Indent("  !        ", facts.Warnings);
        if (ProposalWords.Reason(view.Record.Created.Description) is { Length: > 0 } reason)
        {
            Indent("  reason   ", VisibleText.Lines(reason));
        }

        Console.WriteLine($"  by       {Voter(now, view.Record.Created.Proposer)}");
        Console.WriteLine($"  votes    {view.Record.Count(VoteKind.For)} For of the {view.Needed} needed; {view.Voters} can vote{(view.State == ProposalState.Pending ? " as things stand" : "")}");
        foreach (var vote in view.Record.Votes.Values)
        {
            Console.WriteLine($"           {Voting.Word(vote.Support),-8} {Voter(now, vote.Voter)}{(vote.Reason.Length == 0 ? "" : $": {VisibleText.Line(vote.Reason)}")}");
        }

        Console.WriteLine($"  time     {TimesOf(view)}");
    }

    private static string TimesOf(ProposalView view) => view.State switch
    {
        ProposalState.Pending => $"voting lasts from {RefusalText.Time(view.VotingFrom)} to {RefusalText.Time(view.VotingUntil)}",
        ProposalState.Active => $"voting lasts until {RefusalText.Time(view.VotingUntil)}",
        ProposalState.Succeeded => $"passed; to be queued before {RefusalText.Time(view.ExpiresAt)}",
        ProposalState.Queued => $"can be executed from {RefusalText.Time(view.Record.Eta!.Value)} until it expires at {RefusalText.Time(view.ExpiresAt)}",
        ProposalState.Expired => $"expired at {RefusalText.Time(view.ExpiresAt)}",
        ProposalState.Canceled => "canceled by its proposer before voting began",
        _ => $"voting ended at {RefusalText.Time(view.VotingUntil)}",
    };

    private static void Indent(string first, IEnumerable<string> lines)
    {
        foreach (var line in lines)
        {
            Console.WriteLine(first + line);
            first = first.Contains('!', StringComparison.Ordinal) ? first : new string(' ', first.Length);
        }
    }

    private static string Voter(FederationState now, Address holder) => NameOf(now, holder) is { } name ? $"{name} {holder}" : $"{holder}, which holds no seat now";

    private static string? NameOf(FederationState now, Address holder) =>
        now.Seats.Values.FirstOrDefault(s => s.Holder == holder) is { } seat ? $"member {seat.Id} {ProposalFacts.NameOf(now, seat.Id)}" : null;
}
