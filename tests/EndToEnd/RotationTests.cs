using System.Text.Json;
using FedChain.Node.Audit;
using FedChain.Node.Homes;
using FedChain.Node.Peer;
using FedChain.Protocol;
using FedChain.Protocol.Ethereum.Contracts;
using FedChain.Protocol.Files;
using FedChain.Protocol.Manifests;
using FedChain.Protocol.Rounds;

namespace FedChain.EndToEnd.Tests;

public sealed class RotationTests
{
    [Fact]
    public async Task Keys_rotated_while_a_round_trains_cost_it_nothing()
    {
        await using var federation = await TestFederation.FoundAsync(members: 3, rounds: 2, steps: 1);
        using var control = new AnvilControl(federation.Chain.RpcUrl);
        var cancellation = TestContext.Current.CancellationToken;
        var before = federation.Members[0].Operator;
        var home = federation.HomeOf(0);
        await using (var training = await StartAsync(federation, 0, new EndlessTrainer(federation.Layout)))
        {
            await training.SeenAsync<PeerEvent.TrainingStarted>();
            var busy = await RotateAsync(federation, "operator");
            Assert.Equal(1, busy.ExitCode);
            Assert.Contains("in use by another process", busy.Errors, StringComparison.Ordinal);
        }

        var rotated = await RotateAsync(federation, "operator");
        Assert.True(rotated.ExitCode == 0, rotated.ToString());
        Assert.Contains("nothing to pay for gas", rotated.Output, StringComparison.Ordinal);
        var sealedToNew = await RotateAsync(federation, "age");
        Assert.True(sealedToNew.ExitCode == 0, sealedToNew.ToString());
        Assert.True(File.Exists(Path.Combine(home.Path, "keys", "former", "operator-1.json")) && File.Exists(Path.Combine(home.Path, "keys", "former", "age-1.json")));
        Assert.False(home.OperatorKey.HasNext || home.AgeKey.HasNext);
        var after = home.OperatorKey.Address!.Value;
        await control.FundAsync(after);

        var peers = new List<RunningPeer>();
        for (var i = 0; i < 3; i++)
        {
            peers.Add(await StartAsync(federation, i, new IntegerTrainer(federation.Layout, i + 1)));
        }

        await Task.WhenAll(peers.Select(p => p.SeenAsync<PeerEvent.RoundEnded>(e => e.Round == 2)));
        foreach (var peer in peers)
        {
            await peer.DisposeAsync();
        }

        await federation.Reader.ReadAsync(cancellation);
        var (first, second) = (federation.Reader.State.Rounds[0], federation.Reader.State.Rounds[1]);
        Assert.Equal((before, after), (first.Seats[new MemberId(1)].Operator, second.Seats[new MemberId(1)].Operator));
        foreach (var round in new[] { first, second })
        {
            Assert.NotNull(round.Winner);
            Assert.Equal(3, round.Submissions.Length);
            Assert.Equal([0, 1, 2], await IncludedAsync(federation, round));
        }

        var start = Adapter.First(federation.Layout, default, 20);
        using var file = File.OpenRead(home.AdapterFile(second.Winner!.Aggregate));
        Assert.Equal(start.Values.ToArray().Select(v => v + 4), AdapterFile.Read(file, file.Length, 20, federation.Layout, out _).Values.ToArray());
        var audit = await Auditor.RunAsync(federation.Client, new AuditRequest { Federation = federation.Address, Stores = [.. federation.Members.Select(m => Path.Combine(m.Home, "store"))], AllowPrivate = true }, TimeProvider.System, cancellation);
        Assert.True(audit.Ok, string.Join("\n", audit.Checks.Where(c => c.Result != CheckResult.Held)));
    }

    [Fact]
    public async Task A_boards_multisig_sends_the_call_itself_and_the_next_start_takes_the_key_into_use()
    {
        await using var federation = await TestFederation.FoundAsync(members: 2, rounds: 1, steps: 1);
        using var control = new AnvilControl(federation.Chain.RpcUrl);
        var holder = federation.Members[0].Holder;
        var home = federation.HomeOf(0);
        Assert.Contains("no rotation to finish", (await RotateAsync(federation, "operator", "--finish")).Errors, StringComparison.Ordinal);
        var printed = await RotateAsync(federation, "operator", "--calldata", "--from", holder.ToString());
        Assert.True(printed.ExitCode == 0, printed.ToString());
        Assert.Equal(federation.Members[0].Operator, home.OperatorKey.Address);
        Assert.Contains("doesn't name the next operator", (await RotateAsync(federation, "operator", "--finish")).Errors, StringComparison.Ordinal);
        var again = await RotateAsync(federation, "operator", "--calldata", "--from", holder.ToString());
        Assert.Equal(printed.Output, again.Output); // the pending key stays the same

        var call = JsonDocument.Parse(printed.Output).RootElement;
        await control.SendAsAsync(holder, new ContractCall(Address.Parse(call.GetProperty("to").GetString()!), Hex.Decode(call.GetProperty("data").GetString()!), "setOperator"));
        await using (var peer = await StartAsync(federation, 0, new EndlessTrainer(federation.Layout)))
        {
            Assert.Equal(home.OperatorKey.Address.ToString(), (await peer.SeenAsync<PeerEvent.KeyRotated>()).Now);
        }

        Assert.False(home.OperatorKey.HasNext);
        Assert.NotEqual(federation.Members[0].Operator, home.OperatorKey.Address);
        using var keys = home.UnlockPeerKeys(federation.Passphrase);
        Assert.NotNull(keys.OperatorAt(federation.Members[0].Operator));
    }

    [Fact]
    public async Task A_rotation_broken_off_after_its_transaction_is_finished_by_the_same_command()
    {
        await using var federation = await TestFederation.FoundAsync(members: 2, rounds: 1, steps: 1);
        var home = federation.HomeOf(0);
        var keys = Path.Combine(home.Path, "keys");
        var old = await File.ReadAllBytesAsync(home.OperatorKey.Present, TestContext.Current.CancellationToken);
        Assert.Equal(0, (await RotateAsync(federation, "operator")).ExitCode);
        var next = await File.ReadAllBytesAsync(home.OperatorKey.Present, TestContext.Current.CancellationToken);
        File.Move(home.OperatorKey.Present, home.OperatorKey.Next); // as it was right before the transaction was seen to be in
        File.Move(Path.Combine(keys, "former", "operator-1.json"), home.OperatorKey.Present);

        var finished = await RotateAsync(federation, "operator");
        Assert.Contains("The rotation is done", finished.Output, StringComparison.Ordinal);
        Assert.Equal(next, await File.ReadAllBytesAsync(home.OperatorKey.Present, TestContext.Current.CancellationToken));
        Assert.Equal(old, await File.ReadAllBytesAsync(Path.Combine(keys, "former", "operator-1.json"), TestContext.Current.CancellationToken));
        await federation.Reader.ReadAsync(TestContext.Current.CancellationToken);
        Assert.Single(federation.Reader.Events.Select(e => e.Event).OfType<OperatorChanged>());
        Assert.Contains("holds no seat", (await RotateAsync(federation, "operator", "--from", "operator")).Errors, StringComparison.Ordinal);
    }

    private static Task<RunningPeer> StartAsync(TestFederation federation, int member, ILocalTrainer trainer) =>
        RunningPeer.StartAsync(federation.HomeOf(member), federation.Passphrase, trainer, TestContext.Current.CancellationToken);

    private static Task<Fedchain.Outcome> RotateAsync(TestFederation federation, string key, params string[] more) =>
        Fedchain.RunAsync(federation.Passphrase, ["rotate", key, "--home", federation.Members[0].Home, .. more]);

    private static async Task<IEnumerable<int>> IncludedAsync(TestFederation federation, RoundState round)
    {
        using var store = new FedChain.Network.Content.BlockStore(HomeFolder.Open(federation.Members[(int)round.Winner!.Aggregator.Value - 1].Home).StorePath);
        var bytes = await store.GetAsync(FedChain.Protocol.Content.Cid.RawOf(round.Winner.Manifest), cancellationToken: TestContext.Current.CancellationToken);
        return GlobalManifest.Parse(bytes!.Value.Span).Included.Indices;
    }
}
