using FedChain.Network.Chain;
using FedChain.Node.Homes;
using FedChain.Node.Peer;
using FedChain.Protocol;

namespace FedChain.EndToEnd.Tests;

/// <summary>What an institution does with its seat, by command, from the profile to leaving.</summary>
public sealed class SeatLifeTests
{
    private const ulong Day = 86_400;

    [Fact]
    public async Task A_profile_is_shown_and_changed_only_where_something_differs()
    {
        await using var federation = await TestFederation.FoundAsync(members: 2, rounds: 1, steps: 1);
        var home = federation.Members[0].Home;
        var shown = await RunAsync(federation, "profile", "show", "--home", home, "--json");
        Assert.True(shown.ExitCode == 0, shown.ToString());
        Assert.Contains(federation.Members[0].Endpoint, shown.Output, StringComparison.Ordinal);
        Assert.DoesNotContain(federation.Members[1].Endpoint, shown.Output, StringComparison.Ordinal);
        Assert.Contains(federation.Members[1].Endpoint, (await RunAsync(federation, "profile", "show", "--home", home, "--member", "2")).Output, StringComparison.Ordinal);
        Refused(await RunAsync(federation, "profile", "show", "--home", home, "--member", "7"), "There is no seat 7");

        Said(await RunAsync(federation, "profile", "update", "--home", home, "--from-home"), "nothing was sent");
        Refused(await RunAsync(federation, "profile", "update", "--home", home), "Change what?");
        Refused(await RunAsync(federation, "profile", "update", "--home", home, "--endpoint", "http://a.example/?q"), "endpoints");
        Refused(await RunAsync(federation, "profile", "update", "--home", home, "--from", federation.Chain.RpcUrl.ToString(), "--name", "x"), "there is no file");
        var changed = await RunAsync(federation, "profile", "update", "--home", home, "--name", "St. Anne's", "--endpoint", "https://st-anne.example");
        Said(changed, "is published");
        Assert.Contains("endpoints:", changed.Errors, StringComparison.Ordinal);
        Said(await RunAsync(federation, "profile", "update", "--home", home, "--from-home"), "nothing was sent"); // home.json followed
        Said(await RunAsync(federation, "profile", "show", "--home", home), "St. Anne's");
    }

    [Fact]
    public async Task A_commitment_that_is_not_the_homes_is_made_anew_by_command_and_by_a_starting_peer()
    {
        await using var federation = await TestFederation.FoundAsync(members: 2, rounds: 2, steps: 1);
        var home = federation.Members[0].Home;
        Said(await RunAsync(federation, "recommit", "--home", home), "nothing was sent");
        await ForgetAsync(federation, member: 0);
        Said(await RunAsync(federation, "recommit", "--home", home), "has another commitment, number 2");
        Said(await RunAsync(federation, "recommit", "--home", home), "nothing was sent");
        Refused(await RunAsync(federation, "recommit", "--home", home, "--from", "holder"), "operates no seat");

        await ForgetAsync(federation, member: 0);
        var peers = new List<RunningPeer>();
        for (var i = 0; i < 2; i++)
        {
            peers.Add(await RunningPeer.StartAsync(federation.HomeOf(i), federation.Passphrase, new IntegerTrainer(federation.Layout, i + 1), TestContext.Current.CancellationToken));
        }

        await peers[0].SeenAsync<PeerEvent.Recommitted>();
        await Task.WhenAll(peers.Select(p => p.SeenAsync<PeerEvent.RoundEnded>(e => e.Round == 2 && e.Finalised)));
        Assert.Empty(peers[1].Events.OfType<PeerEvent.Recommitted>());
        foreach (var peer in peers)
        {
            await peer.DisposeAsync();
        }
    }

    [Fact]
    public async Task A_silent_seat_is_given_notice_then_retired_and_wakes_again()
    {
        await using var federation = await TestFederation.FoundAsync(members: 3, rounds: 1, steps: 1);
        using var control = new AnvilControl(federation.Chain.RpcUrl);
        var (home, silent) = (federation.Members[0].Home, federation.Members[1].Home);
        Refused(await RunAsync(federation, "dormant", "--home", home, "2"), "180 days after its last act");
        Refused(await RunAsync(federation, "dormant", "--home", home, "9"), "There is no seat 9");
        await control.AdvanceAsync(181 * Day);
        Said(await RunAsync(federation, "dormant", "--home", home, "2"), "given notice");
        Refused(await RunAsync(federation, "dormant", "--home", home, "2"), "was given notice at");
        await control.AdvanceAsync(31 * Day);
        Said(await RunAsync(federation, "dormant", "--home", home, "2"), "is retired");
        Refused(await RunAsync(federation, "dormant", "--home", home, "2"), "retired already");
        Said(await RunAsync(federation, "wake", "--home", silent), "is awake");
        Said(await RunAsync(federation, "wake", "--home", silent, "--from", "operator"), "sign of life");
        await federation.Reader.ReadAsync(TestContext.Current.CancellationToken);
        Assert.Null(federation.Reader.State.Seats[new MemberId(2)].DormantFrom);
    }

    [Fact]
    public async Task A_lost_seat_is_taken_over_by_a_fresh_home_once_a_vote_gave_it_to_its_holder()
    {
        await using var federation = await TestFederation.FoundAsync(members: 2, rounds: 1, steps: 1);
        using var control = new AnvilControl(federation.Chain.RpcUrl);
        var lost = federation.HomeOf(0);
        var fresh = lost.Path + "-fresh";
        await RunAsync(federation, "init", "--home", fresh, "--name", "St. Anne's", "--listen", lost.Settings.Listen, "--rpc", federation.Chain.RpcUrl.ToString(), "--federation", federation.Address.ToString(), "--allow-private-endpoints");
        var home = HomeFolder.Open(fresh);
        var holder = home.HolderKey.Address!.Value;
        await control.FundAsync(holder);
        await control.FundAsync(home.OperatorKey.Address!.Value);
        Refused(await RunAsync(federation, "recover", "--home", fresh), $"fedchain propose recover ID {holder}");

        await federation.Reader.ReadAsync(TestContext.Current.CancellationToken);
        await control.SendAsAsync(federation.Reader.State.Governance, new MembershipClient(federation.Client, federation.Address).Recover(new MemberId(1), holder));
        var taken = await RunAsync(federation, "recover", "--home", fresh);
        Said(taken, "is operated by");
        Assert.Contains("is taken over", taken.Errors, StringComparison.Ordinal);
        var again = await RunAsync(federation, "recover", "--home", fresh);
        Assert.True(again.ExitCode == 0 && again.Errors.Contains("nothing was sent", StringComparison.Ordinal), again.ToString());

        home = HomeFolder.Open(fresh);
        home.Save(home.Settings with { PollMilliseconds = lost.Settings.PollMilliseconds });
        List<RunningPeer> peers =
        [
            await RunningPeer.StartAsync(home, federation.Passphrase, new IntegerTrainer(federation.Layout, 1), TestContext.Current.CancellationToken),
            await RunningPeer.StartAsync(federation.HomeOf(1), federation.Passphrase, new IntegerTrainer(federation.Layout, 2), TestContext.Current.CancellationToken),
        ];
        await Task.WhenAll(peers.Select(p => p.SeenAsync<PeerEvent.RoundEnded>(e => e.Finalised)));
        foreach (var peer in peers)
        {
            await peer.DisposeAsync();
        }
    }

    [Fact]
    public async Task A_member_leaves_when_it_means_it_and_the_last_one_cannot()
    {
        await using var federation = await TestFederation.FoundAsync(members: 2, rounds: 1, steps: 1);
        var home = federation.Members[0].Home;
        Refused(await RunAsync(federation, "leave", "--home", home), "--yes");
        Refused(await RunAsync(federation, "leave", "--home", home, "--yes", "--from", "operator"), "holds no seat");
        var left = await RunAsync(federation, "leave", "--home", home, "--yes");
        Said(left, "is given up");
        Assert.Contains("for good", left.Errors, StringComparison.Ordinal);
        Refused(await RunAsync(federation, "leave", "--home", home, "--yes"), "holds no seat");
        Refused(await RunAsync(federation, "leave", "--home", federation.Members[1].Home, "--yes"), "last member");
        await federation.Reader.ReadAsync(TestContext.Current.CancellationToken);
        Assert.Equal([2u], federation.Reader.State.Seats.Keys.Select(id => id.Value));
    }

    /// <summary>The holder registers a commitment that nobody's key made, as an applicant does who guessed its id wrong.</summary>
    private static async Task ForgetAsync(TestFederation federation, int member)
    {
        using var holder = federation.HomeOf(member).UnlockHolder(federation.Passphrase);
        using var sender = new TransactionSender(federation.Client, holder, await federation.Client.GetChainIdAsync());
        await sender.SendOrThrowAsync(new MembershipClient(federation.Client, federation.Address).SetOperator(federation.Members[member].Operator, new Hash256([.. Enumerable.Repeat((byte)7, 32)])));
    }

    private static Task<Fedchain.Outcome> RunAsync(TestFederation federation, params string[] arguments) => Fedchain.RunAsync(federation.Passphrase, arguments);

    private static void Said(Fedchain.Outcome outcome, string sentence)
    {
        Assert.True(outcome.ExitCode == 0, outcome.ToString());
        Assert.Contains(sentence, outcome.Output, StringComparison.Ordinal);
    }

    private static void Refused(Fedchain.Outcome outcome, string sentence)
    {
        Assert.True(outcome.ExitCode == 1, outcome.ToString());
        Assert.Contains(sentence, outcome.Errors, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", outcome.Errors, StringComparison.Ordinal);
    }
}
