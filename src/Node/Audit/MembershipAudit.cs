using FedChain.Protocol;
using FedChain.Protocol.Ethereum;
using FedChain.Protocol.Ethereum.Contracts;
using FedChain.Protocol.Rounds;

namespace FedChain.Node.Audit;

/// <summary>Replays seats, applications, profiles and policies: each is what it hashes to, and what was applied for or promised.</summary>
internal sealed class MembershipAudit(ulong chainId, Findings findings)
{
    private readonly Dictionary<Address, Hash256> _policies = [];
    private Address _membership;
    private FederationFounded? _founding;
    private int _admitted;

    /// <param name="e">The next event.</param>
    /// <param name="time">Its block's.</param>
    /// <param name="before">The state that it meets.</param>
    public void Examine(ChainEvent e, ulong time, FederationState before)
    {
        switch (e.Event)
        {
            case FederationFounded founded:
                (_founding, _membership) = (founded, e.Emitter);
                break;
            case Applied applied:
                Applied(applied, before);
                break;
            case SeatActivated activated:
                Activated(activated, time, before);
                break;
            case ProfileUpdated updated:
                findings.Compare("membership", 0, Keccak256.Hash(updated.Profile) == updated.ProfileHash, $"the profile of seat {updated.Id} has not the hash {updated.ProfileHash} that was stored");
                break;
            case PolicySet policy:
                PolicyWasSet(policy, e.Emitter);
                break;
            default:
                break;
        }
    }

    public void Finish(FederationState state)
    {
        findings.Say("membership", 0, $"{state.Seats.Count} seats; founders {state.FoundersActivated} of {state.Founders.Length} activated, each by its own holder");
        findings.Say("admissions", 0, $"{_admitted} seats as applied for; {state.Applications.Count} applications not admitted");
        findings.Say("policy", 0, $"{state.Policies.Count} set; in force next: {state.LatestPolicy?.Policy}");
    }

    private void Applied(Applied e, FederationState before)
    {
        var application = Keccak256.OfWords(chainId, _membership, e.Id, e.Holder, e.Operator, Keccak256.Hash(e.Profile), e.Commitment);
        findings.Compare("admissions", 0, application == e.Application, $"the application for seat {e.Id} has the hash {application}, but {e.Application} was stored for the vote");
        findings.Compare(
            "admissions", 0, e.Id.Value > before.Founders.Length && !before.Seats.ContainsKey(e.Id) && !before.Profiles.ContainsKey(e.Id), $"{e.Holder} applied for seat {e.Id}, which had been given before");
    }

    private void Activated(SeatActivated e, ulong time, FederationState before)
    {
        if (_founding is { } founding && e.Id.Value >= 1 && e.Id.Value <= founding.Founders.Length)
        {
            var expected = founding.Founders[(int)e.Id.Value - 1];
            findings.Compare("membership", 0, e.Holder == expected, $"seat {e.Id} belongs to founder {expected}, but {e.Holder} activated it");
            findings.Compare("membership", 0, time < founding.FoundingEndsAt, $"seat {e.Id} was activated at {time}, after founding ended at {founding.FoundingEndsAt}");
        }
        else
        {
            _admitted++;
            var applied = before.Applications.GetValueOrDefault(e.Id);
            findings.Compare("admissions", 0, applied is not null, $"seat {e.Id} was given to {e.Holder}, who had not applied for it");
            findings.Compare(
                "admissions",
                0,
                applied is null || (applied.Holder, applied.Operator, Keccak256.Hash(applied.Profile)) == (e.Holder, e.Operator, e.ProfileHash),
                $"seat {e.Id} was given to holder {e.Holder} with operator {e.Operator}, but {applied?.Holder} applied for it with operator {applied?.Operator} and maybe another profile");
        }

        findings.Compare("membership", 0, e.ActiveFrom == before.NextRound, $"seat {e.Id} counts from round {e.ActiveFrom} on, but was activated before round {before.NextRound}");
        var profile = before.Profiles.GetValueOrDefault(e.Id);
        findings.Compare("membership", 0, profile is null || Keccak256.Hash(profile) == e.ProfileHash, $"the profile of seat {e.Id} has hash {Keccak256.Hash(profile ?? "")}, but {e.ProfileHash} was activated");
    }

    private void PolicyWasSet(PolicySet e, Address emitter)
    {
        var p = e.Params;
        var hash = Keccak256.OfWords(Keccak256.Hash(e.Json), (ulong)p.Training, (ulong)p.Publishing, (ulong)p.Attesting, (ulong)p.Interval, (ulong)p.Minimum, (ulong)p.MaxTurns, (ulong)p.Rounds, e.Genesis);
        findings.Compare("policy", 0, hash == e.Policy, $"policy {e.Policy} has the hash {hash}");
        var previous = _policies.GetValueOrDefault(emitter); // a successor of Rounds begins with a first policy of its own
        findings.Compare("policy", 0, e.Previous == previous, $"policy {e.Policy} says that it follows {e.Previous}, but {previous} was set before it");
        _policies[emitter] = e.Policy;
    }
}
