using FedChain.Node;
using FedChain.Node.Chain;
using FedChain.Node.Demo;
using FedChain.Node.Homes;
using FedChain.Node.Peer;

namespace FedChain.EndToEnd.Tests;

/// <summary>Homes that wait until blocks are confirmed.</summary>
public sealed class ConfirmationsTests
{
    private const int Members = 3;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_home_sees_the_chain_as_it_was_so_many_blocks_ago_and_takes_no_more_time_to_have_passed()
    {
        await using var federation = await TestFederation.FoundAsync(Members, rounds: 1, steps: 1);
        using var control = new AnvilControl(federation.Chain.RpcUrl);
        var home = federation.HomeOf(0);
        home.Save(home.Settings with { Confirmations = 3 });
        for (var block = 0; block < 4; block++)
        {
            await control.AdvanceAsync(1000);
        }

        await using var session = await ChainSession.OpenAsync(home, rpc: null, federation: null, TimeProvider.System, Cancel);
        var reader = session.Reader;
        Assert.Equal(reader.Head!.Number - 3, reader.At!.Number);
        Assert.Equal(Members, reader.State.Seats.Count);
        Assert.InRange(reader.Now, reader.At.Timestamp, reader.Head.Timestamp - 2000);
        await control.AdvanceAsync(1000);
        await reader.ReadAsync(Cancel);
        Assert.Equal(reader.Head.Number - 3, reader.At.Number);
        Assert.InRange(reader.Now, reader.At.Timestamp, reader.Head.Timestamp - 2000);
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(65)]
    public async Task A_number_out_of_range_is_refused(int confirmations)
    {
        using var folder = new TemporaryFolder();
        var settings = new HomeSettings { Name = "a", Listen = "127.0.0.1:1", Endpoint = "http://127.0.0.1:1", Rpc = ["http://127.0.0.1:1"], Federation = default(Protocol.Address), Confirmations = confirmations };
        var home = HomeFolder.Create(folder["home"], settings, "secret", Protocol.Ethereum.Keys.KeystoreOptions.Light);
        var refusal = await Assert.ThrowsAsync<UserErrorException>(() => ChainSession.OpenAsync(home, rpc: null, federation: null, TimeProvider.System, Cancel));
        Assert.Contains($"\"confirmations\" is 0 to 64; found {confirmations}", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Peers_that_wait_for_confirmations_bring_a_round_to_its_end()
    {
        const uint Day = 24 * 3600; // chain time runs faster than ours
        await using var federation = await TestFederation.FoundAsync(
            Members, rounds: 1, steps: 1, DemoDefaults.Params(1) with { Training = Day, Publishing = Day, Attesting = Day });
        using var control = new AnvilControl(federation.Chain.RpcUrl);
        await control.AdvanceAsync(1);
        await control.AdvanceAsync(1); // so that the founding itself is confirmed
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var mining = control.MineAsync(blockTime: 2, TimeSpan.FromMilliseconds(100), stop.Token);
        var peers = new List<RunningPeer>();
        try
        {
            for (var i = 0; i < Members; i++)
            {
                var home = federation.HomeOf(i);
                home.Save(home.Settings with { Confirmations = 2 });
                peers.Add(await RunningPeer.StartAsync(home, federation.Passphrase, new IntegerTrainer(federation.Layout, i + 1), Cancel));
            }

            foreach (var peer in peers)
            {
                Assert.True((await peer.SeenAsync<PeerEvent.RoundEnded>()).Finalised);
                Assert.DoesNotContain(peer.Events, e => e is PeerEvent.Attested { Valid: false });
            }
        }
        finally
        {
            foreach (var peer in peers)
            {
                await peer.DisposeAsync();
            }

            await stop.CancelAsync();
            await mining;
        }

        await federation.Reader.ReadAsync(Cancel);
        var round = Assert.Single(federation.Reader.State.Rounds);
        Assert.Equal(Members, round.Submissions.Length);
        Assert.Single(round.Candidates);
    }
}
