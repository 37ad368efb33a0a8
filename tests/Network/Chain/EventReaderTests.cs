using FedChain.Network.Chain;
using FedChain.Protocol.Ethereum;
using FedChain.Protocol.Ethereum.Contracts;

namespace FedChain.Network.Tests.Chain;

public sealed class EventReaderTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Everything_is_delivered_once_and_in_order()
    {
        await using var chain = await LocalChain.StartAsync();
        using var alice = await chain.CreateFundedKeyAsync();
        var federation = await Release.DeployAsync(chain, alice.Address);
        var reader = new EventReader(chain.Client, federation.Membership, federation.DeploymentBlock);
        var first = await reader.ReadAsync(Cancellation);
        Assert.Null(first.RewindTo);
        Assert.IsType<FederationFounded>(first.Events[0].Event);
        Assert.Contains(first.Events, e => e.Event is PolicySet && e.Emitter == federation.Rounds);
        Assert.Contains(first.Events, e => e.Event is ExecutionDelaySet && e.Emitter == federation.Governance);
        Assert.Equal(first.Events.OrderBy(e => (e.Block, e.LogIndex)), first.Events);
        Assert.Equal((first.Head.Number, first.Head.Hash), (first.Cursor!.Value.Block, first.Cursor.Value.Hash));
        Assert.Empty((await reader.ReadAsync(Cancellation)).Events);

        await ActivateAsync(chain, federation, alice, "{}");
        var second = await reader.ReadAsync(Cancellation);
        Assert.Equal("SeatActivated", Assert.Single(second.Events, e => e.Event is SeatActivated).Event.GetType().Name);
        Assert.Single(second.Events, e => e.Event is CommitmentMade);
        Assert.Empty((await reader.ReadAsync(Cancellation)).Events);
    }

    [Fact]
    public async Task A_reorganisation_rewinds_to_the_last_block_that_both_branches_have()
    {
        await using var chain = await LocalChain.StartAsync();
        using var alice = await chain.CreateFundedKeyAsync();
        var federation = await Release.DeployAsync(chain, alice.Address);
        var reader = new EventReader(chain.Client, federation.Membership, federation.DeploymentBlock);
        var before = (await reader.ReadAsync(Cancellation)).Cursor!.Value;
        await ActivateAsync(chain, federation, alice, """{"name":"first"}""");
        var activated = await reader.ReadAsync(Cancellation);
        Assert.Contains(activated.Events, e => e.Event is SeatActivated);
        await chain.DoAsync("evm_mine");
        await reader.ReadAsync(Cancellation);

        await chain.DoAsync("anvil_reorg", 2, Array.Empty<object>());
        var rewound = await reader.ReadAsync(Cancellation);
        Assert.Equal(before, rewound.RewindTo);
        Assert.Empty(rewound.Events);
        Assert.Equal(before.Block + 2, rewound.Cursor!.Value.Block);

        await ActivateAsync(chain, federation, alice, """{"name":"second"}""");
        var again = await reader.ReadAsync(Cancellation);
        Assert.Null(again.RewindTo);
        Assert.NotEqual(
            ((SeatActivated)activated.Events.Single(e => e.Event is SeatActivated).Event).ProfileHash,
            ((SeatActivated)again.Events.Single(e => e.Event is SeatActivated).Event).ProfileHash);
    }

    [Fact]
    public async Task A_chain_that_became_shorter_is_followed_too()
    {
        await using var chain = await LocalChain.StartAsync();
        using var alice = await chain.CreateFundedKeyAsync();
        var federation = await Release.DeployAsync(chain, alice.Address);
        var reader = new EventReader(chain.Client, federation.Membership, federation.DeploymentBlock);
        var before = (await reader.ReadAsync(Cancellation)).Cursor!.Value;
        await ActivateAsync(chain, federation, alice, "{}");
        Assert.NotEmpty((await reader.ReadAsync(Cancellation)).Events);
        await chain.DoAsync("anvil_rollback", 1);
        var step = await reader.ReadAsync(Cancellation);
        Assert.Equal((before, before), (step.RewindTo, step.Cursor));
        Assert.Empty(step.Events);
    }

    [Fact]
    public async Task A_reorganisation_of_everything_starts_from_the_deployment_again()
    {
        await using var chain = await LocalChain.StartAsync();
        using var alice = await chain.CreateFundedKeyAsync();
        var federation = await Release.DeployAsync(chain, alice.Address);
        var reader = new EventReader(chain.Client, federation.Membership, federation.DeploymentBlock);
        await reader.ReadAsync(Cancellation);
        await chain.DoAsync("anvil_reorg", 3, Array.Empty<object>()); // the deployment with all
        var step = await reader.ReadAsync(Cancellation);
        Assert.Equal(federation.DeploymentBlock - 1, step.RewindTo?.Block);
        Assert.Empty(step.Events);
    }

    [Fact]
    public async Task A_rewind_is_not_lost_when_the_look_that_noticed_it_fails()
    {
        await using var chain = await LocalChain.StartAsync();
        using var alice = await chain.CreateFundedKeyAsync();
        var federation = await Release.DeployAsync(chain, alice.Address);
        using var counter = new CountingHandler();
        using var http = new HttpClient(counter);
        var reader = new EventReader(new ChainClient(http, chain.Client.Endpoint, new ChainOptions { Retries = 0 }), federation.Membership, federation.DeploymentBlock);
        var before = (await reader.ReadAsync(Cancellation)).Cursor!.Value;
        await ActivateAsync(chain, federation, alice, "{}");
        await reader.ReadAsync(Cancellation);
        await chain.DoAsync("anvil_reorg", 1, Array.Empty<object>());
        counter.FailFrom = counter.Requests + 3; // after the rewind, before the logs
        await Assert.ThrowsAsync<ChainException>(() => reader.ReadAsync(Cancellation));
        counter.FailFrom = int.MaxValue;
        Assert.Equal(before, (await reader.ReadAsync(Cancellation)).RewindTo);
        Assert.Null((await reader.ReadAsync(Cancellation)).RewindTo);
    }

    [Fact]
    public async Task A_successor_of_Rounds_is_read_from_its_own_beginning_after_it_is_named()
    {
        await using var chain = await LocalChain.StartAsync();
        using var alice = await chain.CreateFundedKeyAsync();
        var federation = await Release.DeployAsync(chain, alice.Address);
        var membership = new MembershipClient(chain.Client, federation.Membership);
        var governance = new GovernanceClient(chain.Client, federation.Governance);
        using var sender = chain.SenderOf(alice);
        await sender.SendOrThrowAsync(membership.Activate("{}", alice.Address, Keccak256.Hash("c")), Cancellation);
        var reader = new EventReader(chain.Client, federation.Membership, federation.DeploymentBlock);
        await reader.ReadAsync(Cancellation);

        var code = RoundsAbi.Constructor.Encode(
            Release.Code.Rounds.Span, federation.Membership, federation.Governance, """{"v":2}""", RoundsAbi.WriteParams(Release.Params), Keccak256.Hash("genesis"));
        var successor = (await sender.SendOrThrowAsync(new TransactionIntent(null, code, "deploy a successor"), Cancellation)).Created!.Value;
        Assert.DoesNotContain((await reader.ReadAsync(Cancellation)).Events, e => e.Emitter == successor); // it may be anybody's
        var proposal = new Proposal([membership.SetRounds(successor)], "Succeed");
        await PassAsync(chain, 1); // a vote counts from the second after it was given
        await sender.SendOrThrowAsync(governance.Propose(proposal), Cancellation);
        await PassAsync(chain, 2);
        await sender.SendOrThrowAsync(governance.Vote(proposal.Id, VoteKind.For), Cancellation);
        await PassAsync(chain, 61);
        await sender.SendOrThrowAsync(governance.Queue(proposal), Cancellation);
        await PassAsync(chain, 24 * 3600);
        await sender.SendOrThrowAsync(governance.Execute(proposal), Cancellation);

        var events = (await reader.ReadAsync(Cancellation)).Events.ToList();
        var replaced = events.FindIndex(e => e.Event is RoundsReplaced);
        Assert.Equal(new RoundsReplaced(successor, federation.Rounds, new(0)), events[replaced].Event);
        Assert.True(events[replaced + 1] is { Event: PolicySet { Json: """{"v":2}""" } } && events[replaced + 1].Emitter == successor);

        var afresh = await new EventReader(chain.Client, federation.Membership, federation.DeploymentBlock).ReadAsync(Cancellation);
        Assert.Equal(events.Select(Place), afresh.Events.Skip(afresh.Events.Count - events.Count).Select(Place));
        Assert.Equal(afresh.Events.Count, afresh.Events.Select(Place).Distinct().Count());

        // the old one can still be called, but is no longer the federation's, unless the vote is undone
        await sender.SendOrThrowAsync(new RoundsClient(chain.Client, federation.Rounds).Recommit(Keccak256.Hash("late")), Cancellation);
        Assert.Empty((await reader.ReadAsync(Cancellation)).Events);
        afresh = await new EventReader(chain.Client, federation.Membership, federation.DeploymentBlock).ReadAsync(Cancellation);
        Assert.DoesNotContain(afresh.Events, e => e.Event is CommitmentMade { Commitment: var commitment } && commitment == Keccak256.Hash("late"));
        await chain.DoAsync("anvil_rollback", 2);
        Assert.NotNull((await reader.ReadAsync(Cancellation)).RewindTo);
        using var again = chain.SenderOf(alice);
        await again.SendOrThrowAsync(new RoundsClient(chain.Client, federation.Rounds).Recommit(Keccak256.Hash("in time")), Cancellation);
        Assert.Equal(federation.Rounds, Assert.Single((await reader.ReadAsync(Cancellation)).Events, e => e.Event is CommitmentMade).Emitter);
    }

    [Fact]
    public async Task Unconfirmed_blocks_are_not_delivered()
    {
        await using var chain = await LocalChain.StartAsync();
        using var alice = await chain.CreateFundedKeyAsync();
        var federation = await Release.DeployAsync(chain, alice.Address);
        using var http = new HttpClient();
        var careful = new ChainClient(http, chain.Client.Endpoint, new ChainOptions { Confirmations = 3 });
        var reader = new EventReader(careful, federation.Membership, federation.DeploymentBlock);
        var step = await reader.ReadAsync(Cancellation);
        Assert.Null(step.Cursor);
        Assert.Empty(step.Events);
        await chain.DoAsync("evm_mine");
        Assert.IsType<FederationFounded>(Assert.Single((await reader.ReadAsync(Cancellation)).Events, e => e.Event is FederationFounded).Event);
    }

    [Fact]
    public async Task Nothing_new_costs_one_round_trip()
    {
        await using var chain = await LocalChain.StartAsync();
        var federation = await Release.DeployAsync(chain, chain.Sender.Account);
        using var counter = new CountingHandler();
        using var http = new HttpClient(counter);
        var reader = new EventReader(new ChainClient(http, chain.Client.Endpoint), federation.Membership, federation.DeploymentBlock);
        await reader.ReadAsync(Cancellation);
        var before = counter.Requests;
        await reader.ReadAsync(Cancellation);
        Assert.Equal(1, counter.Requests - before);
    }

    private static (ulong Block, uint Index) Place(ChainEvent e) => (e.Block, e.LogIndex);

    private static async Task PassAsync(LocalChain chain, int seconds)
    {
        await chain.DoAsync("evm_increaseTime", seconds);
        await chain.DoAsync("evm_mine");
    }

    private static async Task ActivateAsync(LocalChain chain, Federation federation, PrivateKey key, string profile)
    {
        using var sender = chain.SenderOf(key);
        await sender.SendOrThrowAsync(new MembershipClient(chain.Client, federation.Membership).Activate(profile, key.Address, Keccak256.Hash("c")), Cancellation);
    }

    private sealed class CountingHandler() : DelegatingHandler(new HttpClientHandler())
    {
        public int Requests { get; private set; }

        public int FailFrom { get; set; } = int.MaxValue;

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            return ++Requests >= FailFrom ? throw new HttpRequestException("no") : base.SendAsync(request, cancellationToken);
        }
    }
}
