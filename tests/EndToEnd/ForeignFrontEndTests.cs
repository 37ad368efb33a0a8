using System.Globalization;
using System.Numerics;
using System.Text.Json;
using FedChain.Network.Chain;
using FedChain.Node.Chain;
using FedChain.Node.LocalChain;
using FedChain.Node.Peer;
using FedChain.Protocol;
using FedChain.Protocol.Ethereum;
using FedChain.Protocol.Ethereum.Abi;
using FedChain.Protocol.Ethereum.Contracts;
using FedChain.Tests;

namespace FedChain.EndToEnd.Tests;

/// <summary>Holders that are contracts, front ends that know OpenZeppelin's Governor and nothing of FedChain, and proposals that say what they don't do.</summary>
public sealed class ForeignFrontEndTests
{
    private const string Board = "0x000000000000000000000000000000000000b0a2";

    [Fact]
    public async Task A_holder_that_is_a_contract_sends_what_the_program_prints_and_a_successor_of_Rounds_takes_over()
    {
        await using var federation = await GovernedFederation.FoundAsync(members: 3);
        await federation.PassAsync(0, "recover", "3", Board);
        Assert.Equal(Address.Parse(Board), federation.State.Seats[new MemberId(3)].Holder);
        await federation.CallAsync("anvil_impersonateAccount", Board); // no key opens it: what a contract would send, the chain sends for it
        await federation.CallAsync("anvil_setBalance", Board, "0xde0b6b3a7640000");
        var nobody = await federation.RunAsync(0, "vote", new string('0', 64), "for", "--from", Board);
        Assert.Equal(1, nobody.ExitCode);
        Assert.Contains("add --calldata", nobody.Errors, StringComparison.Ordinal);

        var successor = await DeploySuccessorAsync(federation);
        Assert.Contains("There is no contract at", (await federation.RunAsync(0, "propose", "successor", Board)).Errors, StringComparison.Ordinal);
        Assert.Contains("is not the Rounds contract", (await federation.RunAsync(0, "propose", "successor", federation.Address.ToString())).Errors, StringComparison.Ordinal);

        await SendAsBoardAsync(federation, "propose", "successor", successor.ToString(), "--reason", "Cheaper attestations");
        await federation.AdvanceAsync(2);
        var proposal = federation.State.Proposals[^1];
        Assert.Equal((Address.Parse(Board), $"Replace the Rounds contract by {successor}\n\nCheaper attestations"), (proposal.Created.Proposer, proposal.Created.Description));
        await SendAsBoardAsync(federation, "vote", proposal.Id.ToString(), "for", "--reason", "The board met");
        await federation.SendAsync(0, federation.Governance.Vote(proposal.Id, VoteKind.For));
        await federation.AdvanceAsync(GovernedFederation.VotingPeriod);
        await SendAsBoardAsync(federation, "queue", proposal.Id.ToString());
        await federation.AdvanceAsync(GovernedFederation.ExecutionDelay);
        await SendAsBoardAsync(federation, "execute", proposal.Id.ToString());
        await federation.ReadAsync();
        Assert.Equal(successor, federation.State.RoundsContract);
        Assert.Equal("The board met", federation.State.Proposals[^1].Votes[Address.Parse(Board)].Reason);
        Assert.All((await federation.RunJsonAsync(0, "proposals", "--all")).EnumerateArray(), p => Assert.True(p.GetProperty("descriptionAgrees").GetBoolean()));
        await federation.PassAsync(0, "pause"); // at the successor
        Assert.True(federation.State.Paused);
    }

    [Fact]
    public async Task Running_peers_go_on_at_a_successor_of_Rounds_with_everybody_in_its_first_round()
    {
        await using var federation = await GovernedFederation.FoundAsync(members: 3);
        var successor = await DeploySuccessorAsync(federation);
        var peers = new List<RunningPeer>();
        try
        {
            for (var i = 0; i < 3; i++)
            {
                peers.Add(await RunningPeer.StartAsync(federation.HomeOf(i), federation.Passphrase, new IntegerTrainer(federation.Layout, i + 1), TestContext.Current.CancellationToken));
            }

            foreach (var peer in peers)
            {
                await peer.SeenAsync<PeerEvent.RoundEnded>(e => e.Round == 5); // the last of the policy: the peers rest, while the boards vote
            }

            await federation.PassAsync(0, "successor", successor.ToString());
            foreach (var peer in peers)
            {
                Assert.Equal(successor.ToString(), (await peer.SeenAsync<PeerEvent.Succeeded>()).Rounds);
                Assert.Equal(6UL, (await peer.SeenAsync<PeerEvent.Recommitted>()).FromRound);
                Assert.True((await peer.SeenAsync<PeerEvent.RoundEnded>(e => e.Round == 7)).Finalised);
            }
        }
        finally
        {
            foreach (var peer in peers)
            {
                await peer.DisposeAsync();
            }
        }

        await federation.ReadAsync();
        Assert.Equal(
            [(new RoundId(6), successor, 3), (new RoundId(7), successor, 3)],
            federation.State.Rounds.Where(r => r.Id.Value is 6 or 7).Select(r => (r.Id, r.Contract, r.Submissions.Length)));
    }

    [Fact]
    public async Task A_front_end_that_knows_only_OpenZeppelins_IGovernor_can_do_the_same_and_its_misleading_description_is_shown_up()
    {
        await using var federation = await GovernedFederation.FoundAsync(members: 3);
        var abi = JsonDocument.Parse(await File.ReadAllBytesAsync(
            Path.Combine(Shared.RepositoryRoot, "node_modules/@openzeppelin/contracts/build/contracts/IGovernor.json"), TestContext.Current.CancellationToken))
            .RootElement.GetProperty("abi").EnumerateArray().ToList();
        var functions = abi.Where(e => e.GetProperty("type").GetString() == "function").Select(AbiFunction.FromJson).ToLookup(f => f.Name);
        var governance = federation.State.Governance;

        // it proposes to expel a member, and says something else
        object[] calls =
        [
            new object[] { federation.Address }, new object[] { BigInteger.Zero },
            new object[] { MembershipAbi.Expel.Encode(new MemberId(3)) },
        ];
        const string Description = "Give everybody cake\n\nMember 3 has a birthday";
        var hash = Keccak256.Hash(Description);
        await SendAsync(0, "propose", [.. calls, Description]);
        var id = (await federation.Client.CallAsync(governance, functions["hashProposal"].Single(), [.. calls, hash], cancellation: TestContext.Current.CancellationToken)).Integer(0);
        await federation.AdvanceAsync(2);
        var name = federation.State.Proposals.Single().Id.ToString();
        Assert.Equal(ProposalId.From(id).ToString(), name);
        Assert.Equal(federation.State.Proposals.Single().Proposal.Id.ToString(), name);

        var shown = (await federation.RunAsync(1, "proposals")).Output;
        Assert.Contains("THE DESCRIPTION DISAGREES WITH THE CALLS", shown, StringComparison.Ordinal);
        Assert.Contains("it says:  Give everybody cake", shown, StringComparison.Ordinal);
        Assert.Contains("it does:  Expel member 3", shown, StringComparison.Ordinal);
        var misled = await federation.RunAsync(1, "vote", name, "for");
        Assert.Equal(1, misled.ExitCode);
        Assert.Contains("--despite-description", misled.Errors, StringComparison.Ordinal);
        Assert.Equal(0, (await federation.RunAsync(1, "vote", name, "for", "--despite-description")).ExitCode);
        Assert.Equal(0, (await federation.RunAsync(2, "vote", name, "against")).ExitCode);

        // and carries it through
        await SendAsync(0, "castVote", [id, BigInteger.One]);
        await federation.AdvanceAsync(GovernedFederation.VotingPeriod);
        await SendAsync(0, "queue", [.. calls, hash]);
        await federation.AdvanceAsync(GovernedFederation.ExecutionDelay);
        await SendAsync(0, "execute", [.. calls, hash]);
        await federation.ReadAsync();
        Assert.DoesNotContain(new MemberId(3), federation.State.Seats.Keys);

        // what the program does is legible to it: a proposal and its votes by OpenZeppelin's events alone
        var ours = (await federation.ProposeAsync(0, "pause", "--reason", "Maintenance")).ToInteger();
        Assert.Equal(0, (await federation.RunAsync(1, "vote", ProposalId.From(ours).ToString(), "abstain")).ExitCode);
        var events = abi.Where(e => e.GetProperty("type").GetString() == "event").Select(AbiEvent.FromJson).ToDictionary(e => e.Topic);
        var logs = await federation.Client.GetLogsAsync([governance], 0, await federation.Client.GetBlockNumberAsync(TestContext.Current.CancellationToken), TestContext.Current.CancellationToken);
        var read = logs.Where(l => events.ContainsKey(l.Topics[0])).Select(l => (events[l.Topics[0]].Name, Values: events[l.Topics[0]].Decode(l.Topics, l.Data.Span))).ToList();
        Assert.Equal("Pause the opening of rounds\n\nMaintenance", read.Single(e => e.Name == "ProposalCreated" && e.Values.Integer(0) == ours).Values.Text(8));
        Assert.Equal(2, read.Single(e => e.Name == "VoteCast" && e.Values.Integer(1) == ours).Values.UInt8(2));

        async Task SendAsync(int member, string function, object[] arguments) =>
            await federation.SendAsync(member, new TransactionIntent(governance, functions[function].Single().Encode(arguments), function));
    }

    /// <summary>Deployed by anybody; only a vote makes it the federation's.</summary>
    private static async Task<Address> DeploySuccessorAsync(GovernedFederation federation)
    {
        var policy = federation.State.LatestPolicy!;
        using var deployer = new PrivateKey(Hex.Decode(AnvilChain.DevelopmentKey));
        var code = RoundsAbi.Constructor.Encode(
            ContractArtifact.Load("Rounds").Bytecode, federation.Address, federation.State.Governance, policy.Json, RoundsAbi.WriteParams(policy.Params), policy.Genesis);
        return (await federation.SendAsync(deployer, new TransactionIntent(null, code, "deploy Rounds"))).Created!.Value;
    }

    /// <summary>Has the program print a call, and the account without a key send it.</summary>
    private static async Task SendAsBoardAsync(GovernedFederation federation, params string[] command)
    {
        var printed = await federation.RunJsonAsync(0, [.. command, "--from", Board, "--calldata"]);
        Assert.Equal(Board, printed.GetProperty("from").GetString());
        Assert.Equal(federation.ChainId, printed.GetProperty("chainId").GetUInt64());
        var transaction = await federation.CallAsync("eth_sendTransaction", new Dictionary<string, string>
        {
            ["from"] = Board,
            ["to"] = printed.GetProperty("to").GetString()!,
            ["data"] = printed.GetProperty("data").GetString()!,
            ["gas"] = string.Create(CultureInfo.InvariantCulture, $"0x{3_000_000:x}"),
        });
        await federation.CallAsync("evm_mine"); // the chain answers before it has made the block
        var receipt = await federation.Client.GetReceiptAsync(Hash256.Parse(transaction.GetString()!), TestContext.Current.CancellationToken);
        Assert.True(receipt!.Succeeded, string.Join(' ', command));
        await federation.ReadAsync();
    }
}
