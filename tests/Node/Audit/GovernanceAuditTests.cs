using System.Numerics;
using FedChain.Node.Audit;
using FedChain.Protocol;
using FedChain.Protocol.Ethereum;
using FedChain.Protocol.Ethereum.Contracts;

namespace FedChain.Node.Tests.Audit;

/// <summary>Each rule of governance broken once, in a history that keeps all the others.</summary>
public sealed class GovernanceAuditTests
{
    private static Address Membership => GovernanceLog.Membership;

    [Fact]
    public void A_history_that_keeps_the_rules_holds()
    {
        var checks = new GovernanceLog().Audit();
        Assert.All(checks, check => Assert.True(check.Result == CheckResult.Held, check.ToString()));
        Assert.Contains(checks, c => c.Name == "proposals" && c.Detail.StartsWith("2 made", StringComparison.Ordinal));
        Assert.Contains(checks, c => c.Name == "votes" && c.Detail.StartsWith("6 cast", StringComparison.Ordinal));
        Assert.Contains(checks, c => c.Name == "mandates" && c.Detail.StartsWith("2 acts", StringComparison.Ordinal));
        Assert.Contains(checks, c => c.Name == "admissions" && c.Detail.StartsWith("1 seats", StringComparison.Ordinal));
    }

    // ---- proposals

    [Fact]
    public void A_proposer_holds_a_seat() => Fails("proposals", "held no seat", log => log.Change<ProposalCreated>("admit: proposed", e => e with { Proposer = GovernanceLog.Holder(9) }));

    [Fact]
    public void A_proposer_held_its_vote_a_second_before() => Fails("proposals", "held no seat with a vote", log =>
    {
        log.Change<ProposalCreated>("admit: proposed", e => e with { Proposer = GovernanceLog.Holder(3) });
        log.At("seat 3", 100);
    });

    [Fact]
    public void An_id_is_the_hash_of_calls_and_description() =>
        Fails("proposals", "calls and description have the id", log => log.Change<ProposalCreated>("admit: proposed", e => e with { Description = "something harmless" }));

    [Fact]
    public void No_proposal_moves_ether() => Fails("proposals", "would move ETH", log => log.Change<ProposalCreated>("admit: proposed", e => e with { Values = [BigInteger.One] }));

    [Fact]
    public void Calls_and_targets_come_in_pairs() => Fails("proposals", "2 targets", log => log.Change<ProposalCreated>("grant: proposed", e => e with { Targets = [Membership, Membership] }), "mandates");

    [Fact]
    public void A_vote_opens_after_the_delay() => Fails("proposals", "opens its vote at", log => log.Change<ProposalCreated>("admit: proposed", e => e with { VoteStart = e.VoteStart - 5, VoteEnd = e.VoteEnd - 5 }));

    [Fact]
    public void A_vote_lasts_its_period() => Fails("proposals", "ends its vote at", log => log.Change<ProposalCreated>("admit: proposed", e => e with { VoteEnd = e.VoteEnd - 5 }));

    [Fact]
    public void A_member_has_one_live_proposal() => Fails("proposals", "was alive", log =>
    {
        log.Change<ProposalCreated>("grant: proposed", e => e with { Proposer = GovernanceLog.Holder(1) });
        log.Remove("admit: act");
        log.Remove("admit: executed"); // it stays queued
    });

    [Fact]
    public void Nothing_is_proposed_while_founders_are_missing() => Fails("proposals", "while founders were missing", log =>
    {
        log.Remove("seat 3");
        log.Remove("profile 3");
        log.Remove("admit: vote 3");
        log.Remove("grant: vote 3");
    });

    [Fact]
    public void A_proposal_passes_with_a_majority_of_all_votes() => Fails("proposals", "1 votes for it of 3, where 2 are needed", log => log.Change<VoteCast>("admit: vote 2", e => e with { Support = VoteKind.Abstain }));

    [Fact]
    public void A_majority_is_of_the_votes_at_the_snapshot() => Fails("proposals", "2 votes for it of 4, where 3 are needed", log => log.Remove("grant: vote 3"));

    [Fact]
    public void Nothing_is_queued_before_its_vote_is_over() => Fails("proposals", "was queued at", log => log.Change<ProposalCreated>("admit: proposed", e => e with { VoteEnd = e.VoteEnd + 20 }));

    [Fact]
    public void What_passed_is_queued_within_two_weeks() => Fails("proposals", "when it was Expired", log =>
    {
        log.RemoveFrom("grant: proposed");
        log.Postpone("admit: queued", 100 + GovernanceLog.Delay + GovernanceLog.Period + GovernanceLog.Grace);
        log.Change<ProposalQueued>("admit: queued", e => e with { Eta = e.Eta + GovernanceLog.Grace - 10 });
    });

    [Fact]
    public void Its_time_of_execution_is_the_delay_after() => Fails("proposals", "was queued at", log => log.Change<ProposalQueued>("admit: queued", e => e with { Eta = e.Eta - 1 }));

    [Fact]
    public void Nothing_is_executed_before_its_time() => Fails("proposals", "before its time", log =>
    {
        log.At("admit: act", 260);
        log.At("admit: executed", 260);
    });

    [Fact]
    public void Nothing_is_executed_two_weeks_after_its_time() => Fails("proposals", "when it was Expired", log =>
    {
        log.RemoveFrom("grant: proposed");
        log.Postpone("admit: act", 300 + GovernanceLog.Grace);
    });

    [Fact]
    public void Nothing_is_executed_that_was_not_queued() => Fails("proposals", "when it was Succeeded", log => log.Remove("admit: queued"));

    [Fact]
    public void Only_what_is_pending_is_cancelled() => Fails("proposals", "was cancelled at", log => log.AddAfter("grant: vote 1", new ProposalCanceled(log.Grant), GovernanceLog.Governance), "votes");

    [Fact]
    public void Settings_stay_within_their_bounds() => Fails("proposals", "outside 5..", log => log.Change<VotingPeriodSet>("period", e => e with { Seconds = 4 }));

    // ---- votes

    [Fact]
    public void A_voter_holds_a_seat() => Fails("votes", "held no seat with a vote at its snapshot", log => log.Change<VoteCast>("admit: vote 3", e => e with { Voter = GovernanceLog.Holder(9) }));

    [Fact]
    public void A_seat_that_came_after_the_snapshot_has_no_vote() => Fails("votes", "held no seat with a vote at its snapshot", log =>
    {
        log.At("admit: act", 411);
        log.Change<VoteCast>("grant: vote 3", e => e with { Voter = GovernanceLog.Holder(4) });
    });

    [Fact]
    public void A_vote_weighs_one() => Fails("votes", "weighs 2", log => log.Change<VoteCast>("admit: vote 2", e => e with { Weight = 2 }));

    [Fact]
    public void Nobody_votes_twice() => Fails("votes", "voted twice", log => log.Repeat("admit: vote 2"));

    [Fact]
    public void Nobody_votes_before_the_start() => Fails("votes", "it was Pending", log => log.At("admit: vote 1", 110));

    [Fact]
    public void Nobody_votes_after_the_end() => Fails("votes", "voted on", log => log.At("admit: vote 3", 211));

    // ---- admissions and other mandates

    [Fact]
    public void An_application_is_what_it_hashes_to() => Fails("admissions", "was stored for the vote", log => log.Change<Applied>("applied", e => e with { Operator = GovernanceLog.Operator(9) }));

    [Fact]
    public void A_seat_goes_to_whoever_applied_for_it() => Fails("admissions", "applied for it", log => log.Change<SeatActivated>("admit: act", e => e with { Operator = GovernanceLog.Operator(9) }));

    [Fact]
    public void The_vote_is_about_the_application() => Fails("mandates", "no proposal that was executed in it says so", log => log.Change<Applied>("applied", e => e with { Application = Keccak256.Hash("another") }), "admissions");

    [Fact]
    public void An_admission_takes_an_executed_proposal() => Fails("mandates", "no proposal that was executed in it says so", log => log.InTransaction("admit: act", "another"));

    [Fact]
    public void One_order_does_not_serve_twice() => Fails("mandates", "did what grantAuditor", log => log.Repeat("grant: act"));

    [Fact]
    public void An_order_is_followed() => Fails("mandates", "had no effect there", log => log.Remove("grant: act"));

    [Fact]
    public void An_auditor_is_granted_with_the_recipient_that_was_voted_on() =>
        Fails("mandates", "did what grantAuditor", log => log.Change<AuditorGranted>("grant: act", e => e with { Recipient = "age1another" }));

    [Theory]
    [InlineData("expel")]
    [InlineData("recover")]
    [InlineData("revokeAuditor")]
    [InlineData("setRounds")]
    [InlineData("setPolicy")]
    [InlineData("setPaused")]
    [InlineData("setVotingPeriod")]
    [InlineData("setVotingDelay")]
    [InlineData("setExecutionDelay")]
    public void Nothing_is_ordered_without_a_vote(string order)
    {
        var seat = new MemberId(3);
        var (act, emitter) = order switch
        {
            "expel" => (new SeatVacated(seat, GovernanceLog.Holder(3), Expelled: true), Membership),
            "recover" => (new SeatRecovered(seat, GovernanceLog.Holder(8), GovernanceLog.Holder(3)), Membership),
            "revokeAuditor" => (new AuditorRevoked(GovernanceLog.Auditor), Membership),
            "setRounds" => (new RoundsReplaced(GovernanceLog.Account(0xa4), GovernanceLog.Rounds, default), Membership),
            "setPolicy" => (GovernanceLog.Policy(GovernanceLog.Policy(default, "{}").Policy, "{\"another\":1}"), GovernanceLog.Rounds),
            "setPaused" => (new PauseSet(true), GovernanceLog.Rounds),
            "setVotingPeriod" => (new VotingPeriodSet(GovernanceLog.Period, 60), GovernanceLog.Governance),
            "setVotingDelay" => (new VotingDelaySet(GovernanceLog.Delay, 60), GovernanceLog.Governance),
            _ => ((IContractEvent)new ExecutionDelaySet(GovernanceLog.Wait, 60), GovernanceLog.Governance),
        };
        Fails("mandates", $"did what {order}(", log => log.Add("order", 700, "order", emitter, act));
    }

    [Fact]
    public void An_order_to_a_replaced_contract_has_no_effect_that_counts()
    {
        var (log, successor) = (new GovernanceLog(), GovernanceLog.Account(0xa4));
        log.Order(
            "replace", 700, by: 1, ContractCall.Of(Membership, MembershipAbi.SetRounds, successor), new RoundsReplaced(successor, GovernanceLog.Rounds, default));
        log.Order("pause the old one", 1000, by: 2, ContractCall.Of(GovernanceLog.Rounds, RoundsAbi.SetPaused, true));
        Assert.All(log.Audit(), check => Assert.True(check.Result == CheckResult.Held, check.ToString()));
    }

    [Fact]
    public void A_member_may_resign_without_a_vote()
    {
        var log = new GovernanceLog();
        log.Add("resigned", 700, "resign", Membership, new SeatVacated(new MemberId(3), GovernanceLog.Holder(3), Expelled: false));
        Assert.All(log.Audit(), check => Assert.True(check.Result == CheckResult.Held, check.ToString()));
    }

    /// <summary>The change makes this check fail, and no other, unless one follows from the same fault.</summary>
    private static void Fails(string check, string expected, Action<GovernanceLog> change, string? besides = null)
    {
        var log = new GovernanceLog();
        change(log);
        var failed = log.Audit().Where(c => c.Result == CheckResult.Failed).ToList();
        Assert.Contains(failed, c => c.Name == check && c.Detail.Contains(expected, StringComparison.Ordinal));
        Assert.All(failed, c => Assert.True(c.Name == check || c.Name == besides, c.ToString()));
    }
}
