using FedChain.Network.Chain;
using FedChain.Protocol;
using FedChain.Protocol.Ethereum;
using FedChain.Protocol.Ethereum.Contracts;
using FedChain.Protocol.Rounds;

namespace FedChain.Network.Tests.Chain;

public sealed class ContractClientTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_round_runs_from_deployment_to_finality_and_its_events_fold_to_the_same_state()
    {
        await using var chain = await LocalChain.StartAsync();
        using var alice = await chain.CreateFundedKeyAsync();
        using var bob = await chain.CreateFundedKeyAsync();
        var federation = await Release.DeployAsync(chain, alice.Address, bob.Address);
        var membership = new MembershipClient(chain.Client, federation.Membership);
        var rounds = new RoundsClient(chain.Client, federation.Rounds);
        Assert.Equal(federation.Governance, await membership.GetGovernanceAsync(Cancellation));
        Assert.Equal(federation.Rounds, await membership.GetRoundsAsync(Cancellation));
        Assert.Equal(federation.DeploymentBlock, await membership.GetDeploymentBlockAsync(Cancellation));
        var policy = await rounds.GetPolicyAsync(Cancellation);
        Assert.Equal(Release.Params, policy.Params);

        // founding: nothing opens before all are there
        using var aliceSender = chain.SenderOf(alice);
        using var bobSender = chain.SenderOf(bob);
        (PrivateKey Key, TransactionSender Sender, MemberId Id)[] members = [(alice, aliceSender, new(1)), (bob, bobSender, new(2))];
        Hash256 Secret(int member, ulong index) => Preimages.Secret(members[member].Key, LocalChain.ChainId, federation.Rounds, members[member].Id, index);
        Hash256 Commitment(int member, ulong index) => Preimages.Commitment(LocalChain.ChainId, federation.Rounds, members[member].Id, Secret(member, index));
        await aliceSender.SendOrThrowAsync(membership.Activate("""{"name":"a"}""", alice.Address, Commitment(0, 0)), Cancellation);
        var early = Assert.IsType<SendOutcome.Refused>(await aliceSender.SendAsync(rounds.Open(), Cancellation));
        Assert.True(early.Refusal.Is(ContractErrors.StillFounding), early.Refusal.ToString());
        await bobSender.SendOrThrowAsync(membership.Activate("""{"name":"b"}""", bob.Address, Commitment(1, 0)), Cancellation);
        Assert.Equal(new MemberId(2), await membership.GetSeatOfAsync(bob.Address, Cancellation));
        Assert.Equal(alice.Address, (await membership.GetSeatAsync(new MemberId(1), Cancellation))!.Holder);
        Assert.Null(await membership.GetSeatAsync(new MemberId(3), Cancellation));
        Assert.Equal(2u, await membership.GetVotersAsync(Cancellation));

        // a round: submissions close it early
        await aliceSender.SendOrThrowAsync(rounds.Open(), Cancellation);
        var one = new RoundId(1);
        Assert.Equal(one, await rounds.GetCurrentAsync(Cancellation));
        var wrong = Assert.IsType<SendOutcome.Refused>(await aliceSender.SendAsync(
            rounds.Submit(one, policy.Hash, policy.Genesis, Keccak256.Hash("m"), Secret(0, 5), Commitment(0, 1)), Cancellation));
        Assert.True(wrong.Refusal.Is(ContractErrors.WrongReveal), wrong.Refusal.ToString());
        for (var i = 0; i < 2; i++)
        {
            await members[i].Sender.SendOrThrowAsync(
                rounds.Submit(one, policy.Hash, policy.Genesis, Keccak256.Hash($"manifest {i}"), Secret(i, 0), Commitment(i, 1)), Cancellation);
        }

        var view = await rounds.GetRoundAsync(Cancellation);
        Assert.Equal(RoundPhase.Aggregation, view.Phase);
        Assert.Equal(2u, view.Submissions);
        Assert.Equal(1u, (await rounds.GetMemberAsync(new MemberId(1), Cancellation)).Submitted);

        // publish and attest, the vote by a signature that the other one brings
        var turns = await rounds.GetTurnsAsync(Cancellation);
        var aggregator = (int)turns[0].Value - 1;
        await members[aggregator].Sender.SendOrThrowAsync(rounds.Publish(one, 0, Keccak256.Hash("global"), Keccak256.Hash("adapter")), Cancellation);
        var candidate = Preimages.Candidate(one, 0, view.Set, Keccak256.Hash("global"), Keccak256.Hash("adapter"));
        var attester = 1 - aggregator;
        var vote = members[attester].Key.Sign(
            new FedChain.Protocol.Ethereum.Signing.SigningDomain(LocalChain.ChainId, federation.Rounds)
                .Digest(new FedChain.Protocol.Ethereum.Signing.Attestation(one, 0, candidate, true)));
        await members[aggregator].Sender.SendOrThrowAsync(rounds.AttestBySignatures(one, 0, candidate, [(true, vote)]), Cancellation);
        var end = await rounds.GetRoundAsync(Cancellation);
        Assert.Equal((RoundPhase.Finalised, Keccak256.Hash("adapter"), turns[0]), (end.Phase, end.Aggregate, end.Aggregator));
        Assert.Equal(Keccak256.Hash("adapter"), await rounds.GetBaseAsync(Cancellation));
        Assert.Equal(1UL, await rounds.GetFinalisedAsync(Cancellation));

        // and all of it from the events alone
        var step = await new EventReader(chain.Client, federation.Membership, federation.DeploymentBlock).ReadAsync(Cancellation);
        var state = step.Events.Aggregate(FederationState.Empty, (s, e) => s.Apply(e.Event));
        var round = state.Rounds.Single();
        Assert.Equal((view.Set, view.Beacon, end.Candidate), (round.Set, round.Beacon, round.Candidates.Single().Id));
        Assert.NotNull(round.FinalisedAt);
        Assert.Equal([alice.Address, bob.Address], state.Seats.Values.Select(s => s.Holder));
        Assert.Contains(step.Events, e => e.Event is PolicySet { Json: """{"v":1}""" });
    }

    [Fact]
    public async Task A_vote_passes_and_is_executed_through_the_client()
    {
        await using var chain = await LocalChain.StartAsync();
        using var alice = await chain.CreateFundedKeyAsync();
        var federation = await Release.DeployAsync(chain, alice.Address);
        var membership = new MembershipClient(chain.Client, federation.Membership);
        var governance = new GovernanceClient(chain.Client, federation.Governance);
        var rounds = new RoundsClient(chain.Client, federation.Rounds);
        using var sender = chain.SenderOf(alice);
        await sender.SendOrThrowAsync(membership.Activate("{}", alice.Address, Keccak256.Hash("c")), Cancellation);
        await chain.DoAsync("evm_increaseTime", 1);
        await chain.DoAsync("evm_mine");

        var proposal = new Proposal([rounds.SetPaused(true), membership.GrantAuditor(chain.Sender.Account, "age1auditor")], "Pause, and let the auditor in");
        await sender.SendOrThrowAsync(governance.Propose(proposal), Cancellation);
        Assert.Equal(proposal.Id, await governance.GetLatestProposalAsync(new MemberId(1), Cancellation));
        await chain.DoAsync("evm_increaseTime", 2);
        await chain.DoAsync("evm_mine");
        Assert.Equal(ProposalState.Active, await governance.GetStateAsync(proposal.Id, Cancellation));
        await sender.SendOrThrowAsync(governance.Vote(proposal.Id, VoteKind.For, "yes"), Cancellation);
        Assert.True(await governance.HasVotedAsync(proposal.Id, alice.Address, Cancellation));
        Assert.Equal(new ProposalTally(0, 1, 0), await governance.GetTallyAsync(proposal.Id, Cancellation));
        await chain.DoAsync("evm_increaseTime", 61);
        await chain.DoAsync("evm_mine");
        await sender.SendOrThrowAsync(governance.Queue(proposal), Cancellation);
        var early = Assert.IsType<SendOutcome.Refused>(await sender.SendAsync(governance.Execute(proposal), Cancellation));
        Assert.True(early.Refusal.Is(ContractErrors.TooEarlyToExecute), early.Refusal.ToString());
        await chain.DoAsync("evm_increaseTime", (int)await governance.GetExecutionDelayAsync(Cancellation) + 1);
        await chain.DoAsync("evm_mine");
        await sender.SendOrThrowAsync(governance.Execute(proposal), Cancellation);
        Assert.True(await rounds.GetPausedAsync(Cancellation));
        Assert.Equal(Keccak256.Hash("age1auditor"), await membership.GetAuditorRecipientAsync(chain.Sender.Account, Cancellation));
        Assert.Equal(ProposalState.Executed, await governance.GetStateAsync(proposal.Id, Cancellation));

        var events = (await new EventReader(chain.Client, federation.Membership, federation.DeploymentBlock).ReadAsync(Cancellation)).Events.Select(e => e.Event).ToList();
        var created = Assert.Single(events.OfType<ProposalCreated>());
        Assert.Equal((proposal.Id, proposal.Description, alice.Address), (created.Proposal, created.Description, created.Proposer));
        Assert.Equal(proposal.Calls.Select(c => c.To), created.Targets);
        Assert.Equal(VoteKind.For, Assert.Single(events.OfType<VoteCast>()).Support);
        Assert.Contains(new ProposalExecuted(proposal.Id), events);
        Assert.Contains(new AuditorGranted(chain.Sender.Account, "age1auditor"), events);
    }

    [Fact]
    public async Task A_constructor_that_refuses_says_why()
    {
        await using var chain = await LocalChain.StartAsync();
        var e = await Assert.ThrowsAsync<ChainException>(() => Release.DeployAsync(chain));
        Assert.True(e.Refusal?.Is(ContractErrors.NoFounders), e.Message);
        Assert.Contains("deploy Membership", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_address_without_our_contract_is_named()
    {
        await using var chain = await LocalChain.StartAsync();
        var e = await Assert.ThrowsAsync<ChainException>(() => new MembershipClient(chain.Client, Address.Zero).GetRoundsAsync(Cancellation));
        Assert.Contains("Check the address and the chain", e.Message, StringComparison.Ordinal);
        Assert.False(e.IsTransient);
    }
}
