using System.Text;
using FedChain.Protocol.Ethereum;
using FedChain.Protocol.Ethereum.Contracts;
using FedChain.Protocol.Manifests;
using FedChain.Protocol.Rounds;

namespace FedChain.Protocol.Governance;

/// <summary>
/// What a proposal's calls do, in words: the first line of its description, from which the reason is parted by an empty line. Any front end shows that
/// line; whoever reads the calls makes it again from them and sees whether it tells the truth. Hence it says only what nobody can change afterwards:
/// the calls, the application that they name, and the policy that they replace; a member's name, for one, may be another tomorrow.
/// Source: docs/protocol.md, "Governance".
/// </summary>
public static class ProposalWords
{
    private const int MostBytesShown = 36;

    /// <param name="actions">The calls, understood.</param>
    /// <param name="at">The federation before the proposal was made: applications and policies that the calls name are looked up there.</param>
    /// <returns>One line.</returns>
    public static string Of(IEnumerable<ProposedAction> actions, FederationState at) => string.Join("; ", actions.Select(a => Of(a, at)));

    /// <summary>A proposal of these actions with the description that they deserve.</summary>
    public static Proposal Propose(IReadOnlyList<ProposedAction> actions, string reason, FederationState at, FederationContracts contracts)
    {
        var words = Of(actions, at);
        return new Proposal([.. actions.Select(a => a.ToCall(contracts))], reason.Length == 0 ? words : $"{words}\n\n{reason}");
    }

    /// <summary>The description's first line: what it claims that the calls do.</summary>
    public static string Claim(string description) => description.IndexOf('\n', StringComparison.Ordinal) is >= 0 and var end ? description[..end] : description;

    /// <summary>What follows the claim.</summary>
    public static string Reason(string description) =>
        description.IndexOf('\n', StringComparison.Ordinal) is >= 0 and var end ? description[(end + 1)..].Trim('\n') : "";

    private static string Of(ProposedAction action, FederationState at) => action switch
    {
        ProposedAction.Admit(var id, var application) => Admission(id, application, at.Applications.GetValueOrDefault(id)),
        ProposedAction.Expel(var id) => $"Expel member {id}",
        ProposedAction.Recover(var id, var holder) => $"Give the seat of member {id} to the holder {holder}",
        ProposedAction.GrantAuditor(var auditor, var recipient) => $"Let the auditor {auditor} read what is sealed from now on, with the age recipient {VisibleText.Quote(recipient)}",
        ProposedAction.RevokeAuditor(var auditor) => $"Seal nothing more to the auditor {auditor}",
        ProposedAction.SetPolicy policy => PolicyOf(policy, at.Policies.GetValueOrDefault(policy.Expected)),
        ProposedAction.SetPaused(true) => "Pause the opening of rounds",
        ProposedAction.SetPaused(false) => "Resume the opening of rounds",
        ProposedAction.SetRounds(var successor) => $"Replace the Rounds contract by {successor}",
        ProposedAction.Set(var setting, var seconds) => $"Set the {NameOf(setting)} to {seconds} s",
        ProposedAction.Unknown(var to, var data) => data.Length <= MostBytesShown ? $"Call {to} with {Hex.Encode(data.Span)}"
            : $"Call {to} with {data.Length} bytes, {Hex.Encode(data.Span[..4])}…, keccak256 {Keccak256.Hash(data.Span)}",
        _ => throw new InvalidOperationException($"No words for {action}."),
    };

    private static string Admission(MemberId id, Hash256 application, Applied? applied)
    {
        if (applied is null || applied.Application != application)
        {
            return $"Admit application {application} (member id {id}), which nobody has made";
        }

        return $"Admit application {application} of {ApplicantOf(applied)} (member id {id}, holder {applied.Holder}, operator {applied.Operator})";
    }

    private static string ApplicantOf(Applied applied)
    {
        try
        {
            return VisibleText.Quote(Profile.Parse(Encoding.UTF8.GetBytes(applied.Profile)).Name);
        }
        catch (InvalidDataException)
        {
            return "somebody without a readable profile";
        }
    }

    private static string PolicyOf(ProposedAction.SetPolicy policy, PolicySet? former)
    {
        var changes = PolicyChange.Between(former, policy.Json, policy.Params, policy.Genesis);
        var what = former is null ? $"Set policy {policy.Policy} in place of {policy.Expected}, which was never set"
            : changes.Count == 0 ? $"Renew policy {policy.Policy}"
            : $"Set policy {policy.Policy} in place of {policy.Expected}";
        var details = changes.Select(c => $"{c.Field} {(c.From is null ? "" : $"{c.From} -> ")}{c.To ?? "(gone)"}");
        var words = changes.Count == 0 ? what : $"{what}: {string.Join(", ", details)}";
        return $"{words}; for {policy.Params.Rounds} more rounds";
    }

    private static string NameOf(GovernanceSetting setting) => setting switch
    {
        GovernanceSetting.VotingDelay => "voting delay",
        GovernanceSetting.VotingPeriod => "voting period",
        _ => "execution delay",
    };
}
