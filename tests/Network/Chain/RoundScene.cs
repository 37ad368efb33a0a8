using FedChain.Network.Chain;
using FedChain.Network.Tests.Content;
using FedChain.Protocol;
using FedChain.Protocol.Ethereum;
using FedChain.Protocol.Ethereum.Contracts;
using FedChain.Protocol.Rounds;

namespace FedChain.Network.Tests.Chain;

/// <summary>
/// A federation of four with a round to go through, step by step. A step says what is intended and how to see that it is done, as a peer does, so it can be
/// taken again at any time. Digests are made up: the contracts don't see what they are of.
/// </summary>
internal sealed class RoundScene : IAsyncDisposable
{
    private const int Count = 4;
    private static readonly RoundId Round = new(1);

    private readonly List<PrivateKey> _keys;
    private readonly TemporaryFolder _folder = new();
    private readonly List<(TransactionJournal Journal, TransactionSender Sender)> _senders = [];
    private RoundsClient _rounds;
    private PolicyView _policy = null!;

    private RoundScene(LocalChain chain, List<PrivateKey> keys, Federation federation)
    {
        (Chain, _keys, Federation) = (chain, keys, federation);
        _rounds = new RoundsClient(chain.Client, federation.Rounds);
        Steps = [Step(0, "open", () => _rounds.Open(), async c => await _rounds.GetCurrentAsync(c) == Round), .. Enumerable.Range(0, Count).Select(Submit), PublishAsync, () => AttestAsync(0), () => AttestAsync(1)];
        Restart();
    }

    public LocalChain Chain { get; }

    public Federation Federation { get; }

    /// <summary>From the opening to finality.</summary>
    public IReadOnlyList<Func<Task>> Steps { get; }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <param name="blocksBefore">Empty blocks between the founding and the round.</param>
    public static async Task<RoundScene> StartAsync(int blocksBefore = 0, ChainOptions? options = null, TimeSpan? blockTime = null)
    {
        var chain = await LocalChain.StartAsync(blockTime, options: options ?? new ChainOptions { PollInterval = TimeSpan.FromMilliseconds(5) });
        var keys = new List<PrivateKey>();
        for (var i = 0; i < Count; i++)
        {
            keys.Add(await chain.CreateFundedKeyAsync());
        }

        const uint Hours = 24 * 3600; // the machine may be slow
        var plan = new FederationPlan(
            [.. keys.Select(k => k.Address)], """{"v":1}""", Release.Params with { Training = Hours, Publishing = Hours, Attesting = Hours }, Keccak256.Hash("genesis"))
        { VotingPeriod = 60 };
        var scene = new RoundScene(chain, keys, await Deployment.DeployAsync(chain.Client, chain.Sender, Release.Code, plan, Cancellation));
        var membership = new MembershipClient(chain.Client, scene.Federation.Membership);
        for (var i = 0; i < Count; i++)
        {
            await scene._senders[i].Sender.SendOrThrowAsync(membership.Activate($$"""{"name":"{{i}}"}""", keys[i].Address, scene.Commitment(i, 0)), Cancellation);
        }

        scene._policy = await scene._rounds.GetPolicyAsync(Cancellation);
        await chain.DoAsync("anvil_mine", blocksBefore);
        return scene;
    }

    /// <summary>Every member forgets all but its journal.</summary>
    /// <param name="through">How they reach the chain from now on; by default directly.</param>
    public void Restart(ChainClient? through = null)
    {
        var client = through ?? Chain.Client;
        _rounds = new RoundsClient(client, Federation.Rounds);
        Stop();
        for (var i = 0; i < Count; i++)
        {
            var journal = TransactionJournal.Open(Path.Combine(_folder.Path, $"{i}.sqlite"));
            _senders.Add((journal, new TransactionSender(client, _keys[i], LocalChain.ChainId, journal)));
        }
    }

    public FederationReader Reader(ChainClient? chain = null, EventIndex? index = null) => new(chain ?? Chain.Client, Federation.Membership, Federation.DeploymentBlock, TimeProvider.System, index);

    /// <summary>What the chain tells somebody who comes now.</summary>
    public async Task<string> FromScratchAsync()
    {
        var reader = Reader();
        await reader.ReadAsync(Cancellation);
        return Describe(reader);
    }

    /// <summary>All that was read and what was made of it, as text.</summary>
    public static string Describe(FederationReader reader)
    {
        var state = reader.State;
        var lines = reader.Events.Select(e => $"{e.Block} {e.BlockHash} {e.LogIndex} {e.Transaction} {e.Emitter} {e.Event.GetType().Name}").ToList();
        lines.AddRange(state.Seats.Values.Select(s => $"{s} {state.Profiles.GetValueOrDefault(s.Id)}"));
        lines.Add($"{state.LatestPolicy} {state.LastRound} {state.Paused} {state.FoundersActivated}");
        lines.AddRange(state.Rounds.Select(r =>
            $"{r.Id} {r.OpenedAt} {r.ClosesAt} {r.Set} {r.Beacon} {r.FinalisedAt} {r.AbortedAt} {r.IsSuperseded}: {string.Join(", ", r.Submissions)}; "
            + string.Join(", ", r.Candidates.Select(c => $"{c.Turn} {c.Aggregator} {c.Id} {c.PublishedAt} {c.RejectedAt} {string.Join('+', c.Votes)}"))));
        return string.Join('\n', lines);
    }

    /// <summary>Of each intention one transaction, and no other: an account's nonce counts what it has on the chain.</summary>
    public async Task EverythingLandedOnceAsync(FederationReader reader)
    {
        var events = reader.Events.Select(e => e.Event).ToList();
        Assert.Single(events.OfType<RoundOpened>());
        Assert.Equal(4, events.OfType<UpdateSubmitted>().Select(e => e.Id).Distinct().Count());
        Assert.Equal(4, events.OfType<UpdateSubmitted>().Count());
        Assert.Single(events.OfType<CandidatePublished>());
        Assert.Equal(2, events.OfType<Attested>().Count());
        Assert.Single(events.OfType<RoundFinalised>());
        var sent = 0UL;
        foreach (var account in _keys.Select(k => k.Address))
        {
            sent += await Chain.Client.GetTransactionCountAsync(account, BlockTag.Latest, Cancellation);
        }

        Assert.Equal((ulong)(_keys.Count + Steps.Count), sent); // an activation each, and the steps
    }

    public async ValueTask DisposeAsync()
    {
        Stop();
        _keys.ForEach(k => k.Dispose());
        await Chain.DisposeAsync();
        _folder.Dispose();
    }

    private void Stop()
    {
        foreach (var (journal, sender) in _senders)
        {
            sender.Dispose();
            journal.Dispose();
        }

        _senders.Clear();
    }

    private Hash256 Secret(int member, ulong index) => Preimages.Secret(_keys[member], LocalChain.ChainId, Federation.Rounds, Id(member), index);

    private Hash256 Commitment(int member, ulong index) => Preimages.Commitment(LocalChain.ChainId, Federation.Rounds, Id(member), Secret(member, index));

    private static MemberId Id(int member) => new((uint)member + 1);

    private Func<Task> Submit(int member) => Step(
        member,
        "submit",
        () => _rounds.Submit(Round, _policy.Hash, _policy.Genesis, Keccak256.Hash($"manifest {member}"), Secret(member, 0), Commitment(member, 1)),
        async c => (await _rounds.GetMemberAsync(Id(member), c)).LastRound == Round);

    private async Task PublishAsync()
    {
        var aggregator = (int)(await _rounds.GetTurnsAsync(Cancellation))[0].Value - 1;
        await Step(
            aggregator, "publish", () => _rounds.Publish(Round, 0, Keccak256.Hash("global"), Keccak256.Hash("adapter")),
            async c => !(await _rounds.GetRoundAsync(c)).Candidate.IsZero)();
    }

    private async Task AttestAsync(int which)
    {
        var view = await _rounds.GetRoundAsync(Cancellation);
        var attester = Enumerable.Range(0, Count).Where(m => Id(m) != view.Aggregator).ElementAt(which);
        await Step(attester, "attest", () => _rounds.Attest(Round, 0, view.Candidate, valid: true), isDone: null)();
    }

    private Func<Task> Step(int member, string name, Func<ContractCall> call, Func<CancellationToken, Task<bool>>? isDone) => async () =>
    {
        var outcome = await _senders[member].Sender.SendAsync(TransactionIntent.From(call()) with { Name = name, IsDone = isDone }, Cancellation);
        Assert.False(outcome is SendOutcome.Refused, $"{name} by {member}: {outcome}");
    };
}
