using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json;
using FedChain.Network.Chain;
using FedChain.Network.Content;
using FedChain.Node.Peer;
using FedChain.Protocol;
using FedChain.Protocol.Envelope;
using FedChain.Protocol.Ethereum.Contracts;
using FedChain.Protocol.Files;
using FedChain.Protocol.Rounds;

namespace FedChain.EndToEnd.Tests;

/// <summary>What verify says, and to whom, when a coalition above the quorum lies by the rules.</summary>
public sealed class AuditTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);
    private static readonly RoundId First = new(1);
    private static readonly RoundId Second = new(2);
    private static readonly MemberId Honest = new(4);
    private static readonly Address Auditor = new([.. Enumerable.Repeat((byte)0xbb, Address.Size)]);

    [Fact]
    public async Task A_wrong_aggregate_that_a_coalition_finalised_is_told_by_whoever_has_a_key_with_the_names_of_those_who_attested_it()
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        patience.CancelAfter(Patience);
        var cancellation = patience.Token;
        await using var federation = await TestFederation.FoundAsync(members: 4, rounds: 2, steps: 1);
        using var folder = new TemporaryFolder();
        using var identity = AgeIdentity.Generate();
        Directory.CreateDirectory(folder["keys"]);
        var identityFile = Path.Combine(folder["keys"], "auditor.txt");
        await File.WriteAllTextAsync(identityFile, $"# the auditor's\n{identity.ExportSecretKey()}\n", cancellation);
        var home = federation.Members[3].Home;
        string[] chain = ["--rpc", federation.Chain.RpcUrl.ToString(), "--federation", federation.Address.ToString(), "--allow-private-endpoints"];

        var over = new TaskCompletionSource();
        var peers = await StartAsync(federation, cancellation);
        var running = peers.Select(p => p.RunAsync((_, _) => over.Task.IsCompleted, cancellation)).ToList();
        try
        {
            await UntilAsync(federation, state => state.Round(Second) is { FinalisedAt: not null } or { AbortedAt: not null }, cancellation);
            var state = federation.Reader.State;
            var wrong = state.Round(First)!.Winner!;
            Assert.False(wrong.Votes[Honest]);
            Assert.NotNull(state.Round(Second)!.SubmissionOf(Honest)); // it goes on from the adapter that the chain names, wrong as it is
            Assert.NotNull(state.Round(Second)!.Winner);

            // The honest member has the key; the files lie in its own store or are served by the others.
            var member = await VerifyAsync(federation.Passphrase, ["--home", home, "--with-keys"], exitCode: 1);
            Assert.Equal("member 4", member.GetProperty("key").GetString());
            AssertTold(member, wrong, federation);

            // Granted by vote after the fact: nothing was sealed to it, so the members seal it anew.
            var refused = await Fedchain.RunAsync(["verify", .. chain, "--identity", identityFile]);
            Assert.Equal(1, refused.ExitCode);
            Assert.Contains("No auditor was granted access", refused.Errors, StringComparison.Ordinal);
            await GrantAsync(federation, identity.Recipient.ToString(), cancellation);
            await ServedAsync(federation, wrong.Aggregate, cancellation);
            var auditor = await VerifyAsync(passphrase: null, [.. chain, "--identity", identityFile], exitCode: 1);
            Assert.Equal($"auditor {Auditor}", auditor.GetProperty("key").GetString());
            AssertTold(auditor, wrong, federation);
            Assert.Contains("sealed anew", Check(auditor, "opened-update-4", 2).GetProperty("detail").GetString(), StringComparison.Ordinal);

            // The public rules were kept, which is all that an outsider sees; the grant itself is replayed.
            var outsider = await VerifyAsync(passphrase: null, chain, exitCode: 0);
            Assert.Equal(JsonValueKind.Null, outsider.GetProperty("key").ValueKind);
            Assert.StartsWith("1 made", Check(outsider, "proposals", 0).GetProperty("detail").GetString(), StringComparison.Ordinal);
            Assert.StartsWith("1 acts", Check(outsider, "mandates", 0).GetProperty("detail").GetString(), StringComparison.Ordinal);
            Assert.Equal("held", Check(outsider, "creation", 0).GetProperty("result").GetString());
        }
        finally
        {
            over.SetResult();
            await Task.WhenAll(running);
            foreach (var peer in peers)
            {
                await peer.DisposeAsync();
            }
        }

        // From the second round on nothing is wrong; its base is opened from the first.
        var stores = federation.Members.SelectMany(m => new[] { "--store", Path.Combine(m.Home, "store") }).ToArray();
        var later = await VerifyAsync(federation.Passphrase, ["--home", home, "--with-keys", "--from-round", "2", .. stores], exitCode: 0);
        Assert.DoesNotContain(later.GetProperty("checks").EnumerateArray(), c => c.GetProperty("round").GetUInt64() == 1);
        Assert.Equal("held", Check(later, "recomputed", 2).GetProperty("result").GetString());

        // With nobody left to seal anew, the auditor can only say what it can't open.
        var alone = await VerifyAsync(passphrase: null, [.. chain, "--identity", identityFile, "--auditor", Auditor.ToString(), .. stores], exitCode: 3);
        Assert.Equal("unavailable", Check(alone, "recomputed", 1).GetProperty("result").GetString());
        Assert.Contains($"not sealed to auditor {Auditor}", Check(alone, "adapter-file", 1).GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--with-keys", "--with-keys")]
    [InlineData("--auditor", "--auditor", "0x00000000000000000000000000000000000000aa")]
    [InlineData("--from-round", "--from-round", "0")]
    public async Task A_key_that_is_said_by_halves_is_misuse(string about, params string[] options)
    {
        var outcome = await Fedchain.RunAsync(["verify", .. options]);
        Assert.Equal(2, outcome.ExitCode);
        Assert.Contains(about, outcome.Errors, StringComparison.Ordinal);
    }

    /// <summary>Members 1 to 3 collude in round 1: they publish one wrong adapter, expect it of each other, and let the honest one vote against it first.</summary>
    private static async Task<List<PeerHost>> StartAsync(TestFederation federation, CancellationToken cancellation)
    {
        var heard = new TaskCompletionSource();
        var collusion = new Deceit
        {
            Publish = Wrong,
            Expect = async (round, candidate, adapter) =>
            {
                if (round == First && candidate.Aggregator != Honest)
                {
                    await heard.Task.WaitAsync(cancellation);
                }

                return Wrong(round, adapter);
            },
        };
        var peers = new List<PeerHost>();
        for (var i = 0; i < 4; i++)
        {
            var trainer = new IntegerTrainer(federation.Layout, i + 1);
            var isHonest = i + 1 == Honest.Value;
            peers.Add(await PeerHost.StartAsync(
                federation.HomeOf(i), federation.Passphrase, rpc: null, (_, _) => Task.FromResult<ILocalTrainer>(trainer),
                e =>
                {
                    if (isHonest && e is PeerEvent.Attested { Valid: false })
                    {
                        heard.TrySetResult();
                    }
                },
                TimeProvider.System, isHonest ? null : collusion, cancellation));
        }

        return peers;
    }

    private static Adapter Wrong(RoundId round, Adapter adapter)
    {
        var values = adapter.Values.ToArray();
        values[0] += round == First ? 1 : 0;
        return new Adapter(adapter.Layout, adapter.FractionBits, values);
    }

    private static void AssertTold(JsonElement report, Candidate wrong, TestFederation federation)
    {
        var told = Check(report, "recomputed", 1);
        Assert.Equal("failed", told.GetProperty("result").GetString());
        var detail = told.GetProperty("detail").GetString()!;
        Assert.Contains(wrong.Aggregate.ToString(), detail, StringComparison.Ordinal);
        var names = federation.Members.Select(m => string.Create(CultureInfo.InvariantCulture, $"{m.Id} ({m.Name})")).ToList();
        Assert.Contains($"attested valid by {names[0]}, {names[1]}, {names[2]}; attested invalid by {names[3]}", detail, StringComparison.Ordinal);
        foreach (var (name, round) in new[] { ("recomputed", 2UL), ("adapter-file", 1UL), ("adapter-file", 2UL), ("genesis", 0UL), ("opened-update-1", 1UL), ("opened-update-4", 2UL) })
        {
            Assert.Equal("held", Check(report, name, round).GetProperty("result").GetString());
        }

        Assert.All(
            report.GetProperty("checks").EnumerateArray().Where(c => c.GetProperty("result").GetString() != "held"),
            c => Assert.True(c.GetProperty("round").GetUInt64() == 1 && (c.GetProperty("name").GetString() == "recomputed" || c.GetProperty("name").GetString()!.StartsWith("turn-", StringComparison.Ordinal)), c.ToString()));
    }

    private static JsonElement Check(JsonElement report, string name, ulong round) =>
        report.GetProperty("checks").EnumerateArray().Single(c => c.GetProperty("name").GetString() == name && c.GetProperty("round").GetUInt64() == round);

    private static async Task<JsonElement> VerifyAsync(string? passphrase, string[] options, int exitCode)
    {
        var outcome = await Fedchain.RunAsync(passphrase, ["verify", .. options, "--json"]);
        Assert.True(outcome.ExitCode == exitCode, outcome.ToString());
        return JsonDocument.Parse(outcome.Output).RootElement;
    }

    private static async Task GrantAsync(TestFederation federation, string recipient, CancellationToken cancellation)
    {
        var state = federation.Reader.State;
        var governance = new GovernanceClient(federation.Client, state.Governance);
        var proposal = new Proposal([new MembershipClient(federation.Client, federation.Address).GrantAuditor(Auditor, recipient)], "an auditor");
        await AdvanceAsync(federation, 2, cancellation);
        await SendAsync(federation, 0, proposal.Propose(state.Governance), cancellation);
        await AdvanceAsync(federation, await governance.GetVotingDelayAsync(cancellation) + 1, cancellation);
        for (var member = 0; member < 3; member++)
        {
            await SendAsync(federation, member, governance.Vote(proposal.Id, VoteKind.For), cancellation);
        }

        await AdvanceAsync(federation, await governance.GetVotingPeriodAsync(cancellation) + 1, cancellation);
        await SendAsync(federation, 1, proposal.Queue(state.Governance), cancellation);
        await AdvanceAsync(federation, await governance.GetExecutionDelayAsync(cancellation) + 1, cancellation);
        await SendAsync(federation, 2, proposal.Execute(state.Governance), cancellation);
    }

    /// <summary>Waits until every peer has read of the grant: it then seals to the auditor.</summary>
    private static async Task ServedAsync(TestFederation federation, Hash256 adapter, CancellationToken cancellation)
    {
        using var fetcher = new ContentFetcher(new ContentFetcherOptions { AllowPrivateAddresses = true }, TimeProvider.System);
        foreach (var member in federation.Members)
        {
            while (!(await fetcher.GetPayloadAsync(new Uri(member.Endpoint), adapter, new PayloadReader.Auditor(Auditor), Stream.Null, 1L << 30, cancellation)).IsComplete)
            {
                await Task.Delay(50, cancellation);
            }
        }
    }

    private static async Task UntilAsync(TestFederation federation, Func<FederationState, bool> reached, CancellationToken cancellation)
    {
        await federation.Reader.ReadAsync(cancellation);
        while (!reached(federation.Reader.State))
        {
            await Task.Delay(100, cancellation);
            await federation.Reader.ReadAsync(cancellation);
        }
    }

    private static async Task SendAsync(TestFederation federation, int member, TransactionIntent call, CancellationToken cancellation)
    {
        using var key = federation.HomeOf(member).UnlockHolder(federation.Passphrase);
        using var sender = new TransactionSender(federation.Client, key, await federation.Client.GetChainIdAsync(cancellation));
        await sender.SendOrThrowAsync(call, cancellation);
    }

    private static async Task AdvanceAsync(TestFederation federation, ulong seconds, CancellationToken cancellation)
    {
        using var http = new HttpClient();
        foreach (var (method, arguments) in new[] { ("evm_increaseTime", new object[] { seconds }), ("evm_mine", []) })
        {
            using var response = await http.PostAsJsonAsync(federation.Chain.RpcUrl, new { jsonrpc = "2.0", id = 1, method, @params = arguments }, cancellation);
            Assert.False((await response.Content.ReadFromJsonAsync<JsonElement>(cancellation)).TryGetProperty("error", out var error), $"{error}");
        }
    }
}
