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

    private static async Task ActivateAsync(LocalChain chain, Federation federation, PrivateKey key, string profile)
    {
        using var sender = chain.SenderOf(key);
        await sender.SendOrThrowAsync(new MembershipClient(chain.Client, federation.Membership).Activate(profile, key.Address, Keccak256.Hash("c")), Cancellation);
    }

    private sealed class CountingHandler() : DelegatingHandler(new HttpClientHandler())
    {
        public int Requests { get; private set; }

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            Requests++;
            return base.SendAsync(request, cancellationToken);
        }
    }
}
