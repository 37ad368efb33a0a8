using FedChain.Node.Chain;
using FedChain.Protocol;
using FedChain.Protocol.Governance;
using FedChain.Protocol.Manifests;
using FedChain.Protocol.Rounds;

namespace FedChain.Node.Governance;

/// <summary>What a voter should know of a proposal beyond its words, as lines fit to be shown.</summary>
/// <param name="Facts">Who is meant, and what changes.</param>
/// <param name="Warnings">What is wrong, or would go wrong.</param>
internal sealed record ProposalFacts(IReadOnlyList<string> Facts, IReadOnlyList<string> Warnings)
{
    public static async Task<ProposalFacts> OfAsync(ChainSession session, ProposalView proposal, CancellationToken cancellationToken)
    {
        var (facts, warnings) = (new List<string>(), new List<string>());
        var now = session.Reader.State;
        foreach (var (action, call) in proposal.Actions.Zip(proposal.Record.Proposal.Calls))
        {
            switch (action)
            {
                case ProposedAction.Admit(var id, var application):
                    Admit(proposal, now, id, application, facts, warnings);
                    break;
                case ProposedAction.Expel(var id):
                    facts.Add(MemberOf(now, id));
                    break;
                case ProposedAction.Recover(var id, _):
                    facts.Add(MemberOf(now, id));
                    break;
                case ProposedAction.SetPolicy policy:
                    Policy(proposal, now, policy, facts, warnings);
                    break;
                case ProposedAction.SetRounds(var successor):
                    var isRelease = ContractArtifact.Load("Rounds").IsDeployedAs(await session.Client.GetCodeAsync(successor, cancellationToken));
                    (isRelease ? facts : warnings).Add($"the code at {successor} is {(isRelease ? "" : "not ")}this program's release build of Rounds");
                    break;
                case ProposedAction.Unknown(var to, var data):
                    warnings.Add($"NOT UNDERSTOOD, shown as it is: a call to {to} with {Hex.Encode(data.Span)}");
                    break;
                default:
                    break; // the words say all
            }

            if (proposal.IsLive && await Trial.RefusalAsync(session.Client, now.Governance, call, cancellationToken) is { } refusal)
            {
                warnings.Add($"executed now, this would fail: {refusal}");
            }
        }

        return new ProposalFacts(facts, warnings);
    }

    /// <summary>The application that is to be admitted; null if there never was one.</summary>
    public static Admission? AdmissionOf(ProposalView proposal, FederationState now, MemberId id, Hash256 application) =>
        proposal.Before.Applications.GetValueOrDefault(id) is { } applied && applied.Application == application
            ? Admission.Of(applied, proposal.IsLive ? now : proposal.Before)
            : null;

    private static void Admit(ProposalView proposal, FederationState now, MemberId id, Hash256 application, List<string> facts, List<string> warnings)
    {
        if (AdmissionOf(proposal, now, id, application) is not { } admission)
        {
            warnings.Add($"nobody has made application {application} for member id {id}");
            return;
        }

        if (admission.Profile is { } profile)
        {
            facts.Add($"applicant  {VisibleText.Quote(profile.Name)}");
            facts.Add($"endpoints  {Listed(profile.Endpoints)}");
            facts.Add($"recipients {Listed(profile.Age)}");
            facts.Add($"model      {profile.BaseModel}");
            facts.Add($"adapter    {profile.AdapterConfig}");
            if (admission.Differences.Count == 0)
            {
                facts.Add("both are the policy's");
            }
        }

        warnings.AddRange(admission.Faults.Concat(admission.Differences));
    }

    private static void Policy(ProposalView proposal, FederationState now, ProposedAction.SetPolicy policy, List<string> facts, List<string> warnings)
    {
        var former = proposal.Before.Policies.GetValueOrDefault(policy.Expected);
        facts.AddRange(PolicyChange.Between(former, policy.Json, policy.Params, policy.Genesis).Select(c => $"{c.Field}: {c.From ?? "(none)"} -> {c.To ?? "(none)"}"));
        if (former is not null && former.Genesis != policy.Genesis)
        {
            facts.Add("training starts again from the new genesis");
        }

        try
        {
            Protocol.Manifests.Policy.Parse(System.Text.Encoding.UTF8.GetBytes(policy.Json));
        }
        catch (InvalidDataException e)
        {
            warnings.Add($"peers of this version could not read this policy and would submit nothing: {VisibleText.Line(e.Message)}");
        }

        if (proposal.IsLive && now.LatestPolicy?.Policy != policy.Expected)
        {
            warnings.Add($"the policy is {now.LatestPolicy?.Policy} now, not {policy.Expected}, which this one replaces");
        }
    }

    private static string MemberOf(FederationState now, MemberId id) => now.Seats.TryGetValue(id, out var seat)
        ? $"member {id} is now {NameOf(now, id)}, holder {seat.Holder}, operator {seat.Operator}"
        : $"member {id} has no seat now";

    /// <summary>A member's name as it is now, fit to be shown.</summary>
    public static string NameOf(FederationState now, MemberId id) =>
        Peer.Sealing.ProfileOf(now.Profiles.GetValueOrDefault(id)) is Profile profile ? VisibleText.Quote(profile.Name) : "(no readable profile)";

    private static string Listed(IEnumerable<string> texts) => string.Join(", ", texts.Select(VisibleText.Line)) is { Length: > 0 } list ? list : "none";
}
