using System.Text;
using FedChain.Node.Homes;
using FedChain.Protocol;
using FedChain.Protocol.Ethereum.Contracts;
using FedChain.Protocol.Governance;
using FedChain.Protocol.Manifests;

namespace FedChain.EndToEnd.Tests;

/// <summary>What a board does at the command line, against a real chain: the whole way of each proposal, and what a mistake gets on each step.</summary>
public sealed class GovernanceTests
{
    [Fact]
    public async Task An_institution_applies_and_is_voted_in_and_every_mistake_on_the_way_is_told()
    {
        await using var federation = await GovernedFederation.FoundAsync(members: 3);
        var applicant = await federation.MakeHomeAsync("St. Anna");

        // apply
        var applied = await RunAsync(applicant, federation, "apply", "--federation", federation.Address.ToString());
        Assert.True(applied.ExitCode == 0, applied.ToString());
        Assert.Contains("fedchain propose admit 4", applied.Output, StringComparison.Ordinal);
        Assert.Equal(federation.Address, HomeFolder.Open(applicant.Path).Settings.Federation);
        Refused(await RunAsync(applicant, federation, "apply"), "has applied already, as member id 4");
        Refused(await federation.RunAsync(0, "apply"), "belongs to seat 1");

        // propose
        Refused(await RunAsync(applicant, federation, "propose", "admit", "4"), "Only holders of seats propose");
        Refused(await federation.RunAsync(0, "propose", "admit", "9"), "No application waits under member id 9. Waiting: 4.");
        var proposed = await federation.RunJsonAsync(0, "propose", "admit", "4", "--reason", "Visited in May");
        var id = proposed.GetProperty("proposal").GetString()!;
        await federation.ReadAsync();
        var application = federation.State.Applications[new MemberId(4)];
        Assert.Equal(
            $"Admit application {application.Application} of 'St. Anna' (member id 4, holder {application.Holder}, operator {application.Operator})\n\nVisited in May",
            federation.State.Proposals.Single().Created.Description);
        Refused(await federation.RunAsync(0, "propose", "pause"), "Member 1 has a live proposal, " + id[..10]);
        await federation.AdvanceAsync(2);

        // vote
        Refused(await federation.RunAsync(0, "vote", "0xffffff00", "for"), "There is no proposal 0xffffff00");
        Refused(await federation.RunAsync(0, "vote", id[..5], "for"), "first 6 digits or more");
        Refused(await RunAsync(applicant, federation, "vote", id, "for"), "holds no seat");
        Refused(await federation.RunAsync(0, "vote", id, "for", "--from", "operator"), "is the operator of seat 1; votes are cast by its holder");
        Refused(await federation.RunAsync(0, "queue", id), "lasts until");
        var voted = await federation.RunAsync(0, "vote", id[..8], "for", "--reason", "We know them");
        Assert.True(voted.ExitCode == 0, voted.ToString());
        Assert.Contains("1 For of the 2", voted.Output, StringComparison.Ordinal);
        Refused(await federation.RunAsync(0, "vote", id, "against"), "has voted for on " + id[..10] + " already");
        Assert.Equal(0, (await federation.RunAsync(1, "vote", id, "for")).ExitCode);

        var listed = (await federation.RunJsonAsync(2, "proposals")).EnumerateArray().Single();
        Assert.Equal(("active", 2, 3), (listed.GetProperty("state").GetString(), listed.GetProperty("needed").GetInt32(), listed.GetProperty("voters").GetInt32()));
        Assert.True(listed.GetProperty("descriptionAgrees").GetBoolean());
        Assert.Equal("St. Anna", listed.GetProperty("calls")[0].GetProperty("applicant").GetProperty("name").GetString());
        Assert.Empty(listed.GetProperty("warnings").EnumerateArray());
        var shown = (await federation.RunAsync(2, "proposals", id[..8])).Output;
        foreach (var part in new[] { "ACTIVE", "applicant  'St. Anna'", "both are the policy's", "2 For of the 2 needed; 3 can vote", "We know them", "Visited in May", "voting lasts until" })
        {
            Assert.Contains(part, shown, StringComparison.Ordinal);
        }

        // queue and execute
        await federation.AdvanceAsync(GovernedFederation.VotingPeriod);
        Refused(await federation.RunAsync(2, "vote", id, "for"), "It is too late: voting on " + id[..10] + " ended at ");
        Refused(await federation.RunAsync(2, "execute", id), "has to be queued first");
        var queued = await RunAsync(applicant, federation, "queue", id, "--from", "holder");
        Assert.True(queued.ExitCode == 0, queued.ToString());
        Refused(await federation.RunAsync(2, "queue", id), "is queued already");
        Refused(await federation.RunAsync(2, "execute", id), "can be executed from ");
        await federation.AdvanceAsync(GovernedFederation.ExecutionDelay);
        var executed = await RunAsync(applicant, federation, "execute", id);
        Assert.True(executed.ExitCode == 0, executed.ToString());
        Refused(await federation.RunAsync(2, "execute", id), "has been executed already");

        await federation.ReadAsync();
        Assert.Equal(application.Operator, federation.State.Seats[new MemberId(4)].Operator);
        Refused(await federation.RunAsync(0, "propose", "admit", "4"), "has its seat already");
        Refused(await RunAsync(applicant, federation, "vote", id, "for"), "which holds seat 4, had no vote when voting");
        Assert.Contains("No proposal is live; --all", (await federation.RunAsync(0, "proposals")).Output, StringComparison.Ordinal);
        Assert.Contains("executed", (await federation.RunJsonAsync(0, "proposals", "--all"))[0].GetProperty("state").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_was_decided_takes_effect_and_what_would_fail_is_not_proposed()
    {
        await using var federation = await GovernedFederation.FoundAsync(members: 3);
        const string Auditor = "0x00000000000000000000000000000000000000aa";
        using var keys = federation.HomeOf(0).UnlockPeerKeys(federation.Passphrase);
        var recipient = keys.Age[0].Recipient.ToString();

        Refused(await federation.RunAsync(0, "propose", "auditor", "grant", Auditor, "age1nonsense"), "Expected an age recipient");
        Refused(await federation.RunAsync(0, "propose", "auditor", "revoke", Auditor), $"{Auditor} is no auditor");
        await federation.PassAsync(0, "auditor", "grant", Auditor, recipient);
        Assert.Equal(recipient, federation.State.Auditors[Address.Parse(Auditor)]);
        await federation.PassAsync(0, "auditor", "revoke", Auditor);
        Assert.Empty(federation.State.Auditors);

        await federation.PassAsync(0, "pause");
        Assert.True(federation.State.Paused);
        await federation.PassAsync(1, "resume");
        Assert.False(federation.State.Paused);

        // a policy holds from the next opening on
        await OpenAsync(federation);
        var before = federation.State.LatestPolicy!;
        Refused(await federation.RunAsync(0, "propose", "policy"), "Nothing to change was given");
        Refused(await federation.RunAsync(0, "propose", "policy", "--training", "0"), "The policy's training is 0; it has to lie between 1 and 2592000.");
        Refused(await federation.RunAsync(0, "propose", "policy", "--schedule", "C"), "--schedule takes A, B or AB");
        Refused(await federation.RunAsync(0, "propose", "policy", "--max-steps", "0"), "maxSteps");
        await federation.PassAsync(0, "policy", "--training", "77", "--schedule", "B,A", "--rounds", "9", "--new-seed");
        var after = federation.State.LatestPolicy!;
        Assert.Equal((77u, 9u), (after.Params.Training, after.Params.Rounds));
        Assert.Equal(after.Policy, ProposedAction.PolicyHash(after.Json, after.Params, after.Genesis));
        Assert.NotEqual(before.Genesis, after.Genesis);
        var (former, policy) = (Policy.Parse(Encoding.UTF8.GetBytes(before.Json)), Policy.Parse(Encoding.UTF8.GetBytes(after.Json)));
        Assert.Equal(former with { Schedule = Policy.Alternating, Seed = policy.Seed }, policy);
        Assert.Equal(before.Policy, federation.State.Current!.Policy);
        await OpenAsync(federation);
        Assert.Equal((after.Policy, after.Genesis), (federation.State.Current!.Policy, federation.State.Current.Base));

        Refused(await federation.RunAsync(0, "propose", "setting", "voting-period", "4"), "it has to lie between 5 and 2592000");
        await federation.PassAsync(0, "setting", "execution-delay", "60");
        Assert.Equal(60UL, await federation.Governance.GetExecutionDelayAsync(TestContext.Current.CancellationToken));

        Refused(await federation.RunAsync(0, "propose", "expel", "9"), "There is no seat 9");
        await federation.PassAsync(0, "expel", "3");
        Assert.Equal([1u, 2u], federation.State.Seats.Keys.Select(k => k.Value));
    }

    [Fact]
    public async Task A_proposal_is_taken_back_or_expires_or_fails_and_says_so()
    {
        await using var federation = await GovernedFederation.FoundAsync(members: 3);
        var lapsed = (await federation.ProposeAsync(1, "pause")).ToString();
        await federation.AdvanceAsync(GovernedFederation.VotingPeriod);
        Refused(await federation.RunAsync(0, "queue", lapsed), "did not pass: voting ended at ");
        Refused(await federation.RunAsync(1, "propose", "pause"), "was made before and is defeated. Another --reason");

        await federation.PassAsync(0, "setting", "voting-delay", "1000");
        var proposed = await federation.RunJsonAsync(0, "propose", "expel", "3");
        var id = proposed.GetProperty("proposal").GetString()!;
        Refused(await federation.RunAsync(1, "vote", id, "for"), "It is too early: voting on " + id[..10] + " begins at ");
        Refused(await federation.RunAsync(1, "cancel", id), "only by its proposer");
        var canceled = await federation.RunAsync(0, "cancel", id);
        Assert.True(canceled.ExitCode == 0, canceled.ToString());
        Refused(await federation.RunAsync(1, "vote", id, "for"), "was canceled by its proposer");

        // two votes on the same policy: the second one is out of date once the first is executed
        var first = await federation.ProposeAsync(0, "policy", "--training", "100");
        var second = await federation.ProposeAsync(1, "policy", "--training", "200");
        await federation.AdvanceAsync(1000);
        foreach (var voter in new[] { 0, 1 })
        {
            await federation.SendAsync(voter, federation.Governance.Vote(first, VoteKind.For));
            await federation.SendAsync(voter, federation.Governance.Vote(second, VoteKind.For));
        }

        Refused(await federation.RunAsync(0, "cancel", first.ToString()), "Vote against it");
        await federation.AdvanceAsync(GovernedFederation.VotingPeriod);
        Assert.Equal(0, (await federation.RunAsync(2, "queue", first.ToString())).ExitCode);
        Assert.Equal(0, (await federation.RunAsync(2, "queue", second.ToString())).ExitCode);
        await federation.AdvanceAsync(GovernedFederation.ExecutionDelay);
        Assert.Equal(0, (await federation.RunAsync(2, "execute", first.ToString())).ExitCode);
        var stale = await federation.RunAsync(2, "execute", second.ToString());
        Refused(stale, "can't be executed, since its call fails: The policy is ");
        Assert.Contains("Another policy was set meanwhile", stale.Errors, StringComparison.Ordinal);
        Assert.Contains("executed now, this would fail", (await federation.RunAsync(2, "proposals")).Output, StringComparison.Ordinal);
        await federation.AdvanceAsync(GovernedFederation.Grace);
        Refused(await federation.RunAsync(2, "execute", second.ToString()), "has been expired since ");
    }

    [Fact]
    public async Task An_application_with_a_malformed_key_or_another_model_is_not_proposed()
    {
        await using var federation = await GovernedFederation.FoundAsync(members: 2);
        var other = federation.FilePath("other-model");
        Directory.CreateDirectory(other);
        foreach (var file in Directory.GetFiles(Node.Models.BaseModel.Own))
        {
            File.Copy(file, Path.Combine(other, Path.GetFileName(file)));
        }

        await File.AppendAllTextAsync(Path.Combine(other, "config.json"), "\n", TestContext.Current.CancellationToken);
        var expected = Policy.Parse(Encoding.UTF8.GetBytes(federation.State.LatestPolicy!.Json));
        var digest = await Node.Models.BaseModel.Open(other).DigestAsync(TestContext.Current.CancellationToken);
        var stray = await federation.MakeHomeAsync("Stray", other);
        var refused = await RunAsync(stray, federation, "apply", "--federation", federation.Address.ToString());
        Refused(refused, expected.BaseModel.ToString());
        Assert.Contains(digest.ToString(), refused.Errors, StringComparison.Ordinal);
        Assert.Null(HomeFolder.Open(stray.Path).Settings.Federation);

        // applications that this program would not make
        await ApplyAsync("not JSON");
        await ApplyAsync(Text(new Profile("Typo", [Recipient().Replace('q', 'p') + "q"], [], expected.BaseModel, expected.Adapter.Digest)));
        await ApplyAsync(Text(new Profile("Other", [Recipient()], [], digest, expected.Adapter.Digest)));
        Refused(await federation.RunAsync(0, "propose", "admit", "3"), "its profile can't be read");
        Refused(await federation.RunAsync(0, "propose", "admit", "4", "--anyway"), "an age recipient is malformed");
        var another = await federation.RunAsync(0, "propose", "admit", "5");
        Refused(another, $"its base model is {digest}, the policy's {expected.BaseModel}");
        Assert.Contains("--anyway", another.Errors, StringComparison.Ordinal);
        await federation.ProposeAsync(0, "admit", "5", "--anyway");
        var listed = (await federation.RunJsonAsync(1, "proposals"))[0];
        Assert.Contains(listed.GetProperty("warnings").EnumerateArray(), w => w.GetString()!.Contains(digest.ToString(), StringComparison.Ordinal));

        async Task ApplyAsync(string profile)
        {
            var home = await federation.MakeHomeAsync($"applicant-{Guid.NewGuid():N}");
            using var holder = home.UnlockHolder(federation.Passphrase);
            using var keys = home.UnlockPeerKeys(federation.Passphrase);
            await federation.SendAsync(holder, new Network.Chain.MembershipClient(federation.Client, federation.Address).ApplyForSeat(profile, keys.Operator.Address, expected.BaseModel));
        }

        string Recipient()
        {
            using var keys = federation.HomeOf(0).UnlockPeerKeys(federation.Passphrase);
            return keys.Age[0].Recipient.ToString();
        }
    }

    private static string Text(Profile profile) => Encoding.UTF8.GetString(profile.ToBytes());

    private static Task<Fedchain.Outcome> RunAsync(HomeFolder home, GovernedFederation federation, params string[] command) =>
        Fedchain.RunAsync(federation.Passphrase, [.. command, "--home", home.Path]);

    private static async Task OpenAsync(GovernedFederation federation)
    {
        using var keys = federation.HomeOf(0).UnlockPeerKeys(federation.Passphrase);
        await federation.SendAsync(keys.Operator, new Network.Chain.RoundsClient(federation.Client, federation.State.RoundsContract).Open());
        await federation.ReadAsync();
    }

    private static void Refused(Fedchain.Outcome outcome, string sentence)
    {
        Assert.True(outcome.ExitCode == 1, outcome.ToString());
        Assert.Contains(sentence, outcome.Errors, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", outcome.Errors, StringComparison.Ordinal);
    }
}
