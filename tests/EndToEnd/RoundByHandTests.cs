using System.Text.Json;
using FedChain.Network.Chain;
using FedChain.Node.Audit;
using FedChain.Node.Chain;
using FedChain.Node.Peer;
using FedChain.Protocol;
using FedChain.Protocol.Ethereum.Contracts;
using FedChain.Protocol.Rounds;

namespace FedChain.EndToEnd.Tests;

/// <summary>Rounds in which transactions come as the test sends them, and the chain's clock stands where it puts it.</summary>
public sealed class RoundByHandTests
{
    private const uint Training = 10_000, Publishing = 10_000, Attesting = 10_000;
    private static readonly Hash256 Digest = new([.. Enumerable.Repeat((byte)7, Hash256.Size)]);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_members_did_and_failed_to_do_is_told_by_status_and_as_the_contract_counts_it()
    {
        await using var scene = await Scene.FoundAsync(members: 3);
        await scene.OpenAsync();
        await scene.SubmitAsync(0);
        await scene.SubmitAsync(1);
        Assert.Equal(new MemberCounters(0, 0, 0, 0, 0, 0), await scene.CountAsync(3));
        await scene.AdvanceAsync(Training);
        Assert.Equal(new MemberCounters(0, 1, 0, 0, 0, 0), await scene.CountAsync(3));

        var (first, second) = (scene.Round.AggregatorOf(0).Member.Value, scene.Round.AggregatorOf(1).Member.Value);
        await scene.PublishAsync((int)first - 1, turn: 0);
        Assert.Equal(new MemberCounters(1, 0, 1, 0, 0, 0), await scene.CountAsync(first));
        await scene.AdvanceAsync(Attesting);
        Assert.Equal(new MemberCounters(1, 0, 1, 0, 1, 0), await scene.CountAsync(first)); // no transaction has told of it
        await scene.AdvanceAsync(Publishing);
        Assert.Equal(new MemberCounters(1, 0, 0, 1, 0, 0), await scene.CountAsync(second));
        await AssertToldAsync(scene, first, second);

        await scene.OpenAsync();
        await AssertToldAsync(scene, first, second);
    }

    [Fact]
    public async Task A_call_in_the_wrong_phase_is_told_until_when_the_phase_lasts_and_which_one_the_call_needs()
    {
        await using var scene = await Scene.FoundAsync(members: 2);
        await scene.OpenAsync();
        var e = await Assert.ThrowsAsync<ChainException>(() => scene.PublishAsync(0, turn: 0));
        var until = DateTimeOffset.FromUnixTimeSeconds((long)scene.Round.ClosesAt);
        var now = DateTimeOffset.FromUnixTimeSeconds((long)e.Refusal!.Call!.At);
        var time = until.UtcDateTime.Date == now.UtcDateTime.Date ? $"{until:HH:mm:ss}Z" : $"{until:yyyy-MM-dd HH:mm:ss}Z";
        Assert.EndsWith($" Round 1 is in Training until {time}; publish needs Aggregation.", e.Message, StringComparison.Ordinal);
        Assert.EndsWith(RefusalText.Of(e.Refusal), e.Message, StringComparison.Ordinal); // which a command shows, too

        await scene.AdvanceAsync(Training); // nobody has submitted
        e = await Assert.ThrowsAsync<ChainException>(() => scene.PublishAsync(0, turn: 0));
        Assert.EndsWith(" Round 1 is in Aborted; publish needs Aggregation.", e.Message, StringComparison.Ordinal);
    }

    private static async Task AssertToldAsync(Scene scene, uint first, uint second)
    {
        var told = await Fedchain.RunAsync(["status", .. scene.Where]);
        var lines = told.RequireDone().Split(Environment.NewLine);
        var table = Array.IndexOf(lines, "counters   submitted  missed  published  no-shows  rejected  contradicted");
        Assert.True(table >= 0, told.ToString());
        Assert.Equal($"member {first,3}         1       0          1         0         1             0", lines[table + (int)first]);
        Assert.Equal($"member {second,3}         1       0          0         1         0             0", lines[table + (int)second]);
        Assert.Equal("member   3         0       1          0         0         0             0", lines[table + 3]);

        var json = JsonDocument.Parse((await Fedchain.RunAsync(["status", "--json", .. scene.Where])).RequireDone()).RootElement;
        var counters = json.GetProperty("members")[(int)first - 1].GetProperty("counters");
        Assert.Equal(
            "submitted 1, missed 0, published 1, noShows 0, rejected 1, contradicted 0", string.Join(", ", counters.EnumerateObject().Select(p => $"{p.Name} {p.Value}")));

        var audit = await Auditor.RunAsync(scene.Client, new AuditRequest { Federation = scene.Federation, AllowPrivate = true }, TimeProvider.System, Cancellation);
        var check = audit.Checks.Single(c => c.Name == "counters");
        Assert.True(check.Result == CheckResult.Held, check.ToString());
    }

    private sealed class Scene : IAsyncDisposable
    {
        private readonly TestFederation _federation;
        private readonly AnvilControl _control;
        private readonly List<(PeerIdentity Identity, TransactionSender Sender, RoundsWriter Writer)> _members = [];

        private Scene(TestFederation federation) => (_federation, _control) = (federation, new AnvilControl(federation.Chain.RpcUrl));

        public ChainClient Client => _federation.Client;

        public Address Federation => _federation.Address;

        public string[] Where => ["--rpc", _federation.Chain.RpcUrl.ToString(), "--federation", Federation.ToString()];

        public RoundState Round => _federation.Reader.State.Current!;

        public static async Task<Scene> FoundAsync(int members)
        {
            var scene = new Scene(await TestFederation.FoundAsync(members, rounds: 2, steps: 1, new PolicyParams(Training, Publishing, Attesting, Interval: 0, Minimum: 1, MaxTurns: 4, Rounds: 2)));
            await scene.ReadAsync();
            var (federation, chainId) = (scene._federation, await scene.Client.GetChainIdAsync(Cancellation));
            var contract = federation.Reader.State.RoundsContract;
            for (var i = 0; i < members; i++)
            {
                var keys = federation.HomeOf(i).UnlockPeerKeys(federation.Passphrase);
                var identity = new PeerIdentity(chainId, federation.Address, contract, new((uint)i + 1), keys);
                var sender = new TransactionSender(scene.Client, keys.Operator, chainId);
                scene._members.Add((identity, sender, new RoundsWriter(new RoundsClient(scene.Client, contract), sender, identity)));
            }

            return scene;
        }

        public Task OpenAsync() => DoAsync(_members[0].Writer.OpenAsync(_federation.Reader.State.Current?.Id ?? default, Cancellation));

        public Task SubmitAsync(int member) => DoAsync(_members[member].Writer.SubmitAsync(Round, Digest, Cancellation));

        public Task PublishAsync(int member, int turn) => DoAsync(_members[member].Writer.PublishAsync(Round, turn, Digest, Digest, Cancellation));

        public async Task AdvanceAsync(uint seconds)
        {
            await _control.AdvanceAsync(seconds);
            await ReadAsync();
        }

        /// <summary>As derived, once the contract has agreed to the four that it keeps.</summary>
        public async Task<MemberCounters> CountAsync(uint member)
        {
            var reader = _federation.Reader;
            var head = reader.Head!;
            var counters = MemberCounters.Of(new(member), reader.State.Rounds, head.Timestamp);
            var kept = await new RoundsClient(Client, reader.State.RoundsContract).GetMemberAsync(new(member), BlockTag.Number(head.Number), Cancellation);
            Assert.Equal(
                (kept.Submitted, kept.Published, kept.Rejected, kept.Contradicted),
                ((uint)counters.Submitted, (uint)counters.Published, (uint)counters.Rejected, (uint)counters.Contradicted));
            return counters;
        }

        public async ValueTask DisposeAsync()
        {
            foreach (var (identity, sender, _) in _members)
            {
                sender.Dispose();
                identity.Keys.Dispose();
            }

            _control.Dispose();
            await _federation.DisposeAsync();
        }

        private async Task DoAsync(Task<Receipt?> sending)
        {
            Assert.NotNull(await sending);
            await ReadAsync();
        }

        private Task ReadAsync() => _federation.Reader.ReadAsync(Cancellation);
    }
}
