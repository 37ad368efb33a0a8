using System.Net.Http.Json;
using System.Text.Json;
using FedChain.Network.Chain;
using FedChain.Node.Homes;
using FedChain.Protocol;
using FedChain.Protocol.Ethereum;
using FedChain.Protocol.Ethereum.Contracts;
using FedChain.Protocol.Ethereum.Keys;
using FedChain.Protocol.Files;
using FedChain.Protocol.Rounds;

namespace FedChain.EndToEnd.Tests;

/// <summary>A founded federation whose members vote, on a chain whose clock the test moves.</summary>
internal sealed class GovernedFederation : IAsyncDisposable
{
    private readonly TestFederation _federation;
    private readonly HttpClient _http = new();
    private readonly TemporaryFolder _folder = new();

    private GovernedFederation(TestFederation federation, ulong chainId) => (_federation, ChainId) = (federation, chainId);

    public const ulong VotingPeriod = 3 * 24 * 3600, ExecutionDelay = 24 * 3600, Grace = 14 * 24 * 3600;

    public ulong ChainId { get; }

    public Address Address => _federation.Address;

    public ChainClient Client => _federation.Client;

    public Uri Rpc => _federation.Chain.RpcUrl;

    public AdapterLayout Layout => _federation.Layout;

    public string Passphrase => _federation.Passphrase;

    public FederationState State => _federation.Reader.State;

    public GovernanceClient Governance => new(Client, State.Governance);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public static async Task<GovernedFederation> FoundAsync(int members)
    {
        var federation = await TestFederation.FoundAsync(members, rounds: 5, steps: 1);
        var governed = new GovernedFederation(federation, await federation.Client.GetChainIdAsync(Cancellation));
        await governed.AdvanceAsync(2); // proposing takes a vote held a second ago
        return governed;
    }

    public HomeFolder HomeOf(int member) => _federation.HomeOf(member);

    /// <summary>The program, as a member's board runs it.</summary>
    public Task<Fedchain.Outcome> RunAsync(int member, params string[] command) =>
        Fedchain.RunAsync(Passphrase, [.. command, "--home", _federation.Members[member].Home]);

    /// <summary>What the program prints as JSON.</summary>
    public async Task<JsonElement> RunJsonAsync(int member, params string[] command)
    {
        var outcome = await RunAsync(member, [.. command, "--json"]);
        Assert.True(outcome.ExitCode == 0, outcome.ToString());
        return JsonDocument.Parse(outcome.Output).RootElement;
    }

    /// <summary>Proposes with the program, and lets voting begin.</summary>
    public async Task<ProposalId> ProposeAsync(int member, params string[] command)
    {
        var report = await RunJsonAsync(member, ["propose", .. command]);
        await AdvanceAsync(2);
        return new ProposalId(Hash256.Parse(report.GetProperty("proposal").GetString()!));
    }

    /// <summary>Proposes, has a majority agree, and executes; the reader is up to date afterwards.</summary>
    public async Task PassAsync(int member, params string[] command)
    {
        var id = await ProposeAsync(member, command);
        for (var voter = 0; voter < Quorum.OfVotes((uint)State.Seats.Count); voter++)
        {
            using var key = HomeOf(voter).UnlockHolder(Passphrase);
            if (State.Seats.Values.Any(s => s.Holder == key.Address))
            {
                await SendAsync(key, Governance.Vote(id, VoteKind.For));
            }
        }

        await AdvanceAsync(VotingPeriod);
        await SendAsync(member, State.Proposal(id)!.Proposal.Queue(State.Governance));
        await AdvanceAsync(ExecutionDelay);
        await SendAsync(member, State.Proposal(id)!.Proposal.Execute(State.Governance));
        await ReadAsync();
    }

    public async Task<Receipt> SendAsync(int member, TransactionIntent intent)
    {
        using var key = HomeOf(member).UnlockHolder(Passphrase);
        return await SendAsync(key, intent);
    }

    public async Task<Receipt> SendAsync(PrivateKey key, TransactionIntent intent)
    {
        using var sender = new TransactionSender(Client, key, ChainId);
        return await sender.SendOrThrowAsync(intent, Cancellation);
    }

    /// <summary>A home of an institution that is no member yet, with coins to pay with.</summary>
    public async Task<HomeFolder> MakeHomeAsync(string name, string? model = null)
    {
        var settings = HomeOf(0).Settings with { Name = name, ChainId = null, Federation = null };
        var home = HomeFolder.Create(_folder[name], settings with { Model = model ?? settings.Model }, Passphrase, KeystoreOptions.Light);
        using var holder = home.UnlockHolder(Passphrase);
        await CallAsync("anvil_setBalance", holder.Address.ToString(), "0xde0b6b3a7640000");
        return home;
    }

    public string FilePath(string name) => _folder[name];

    /// <summary>Moves the chain's clock, and reads what has happened.</summary>
    public async Task AdvanceAsync(ulong seconds)
    {
        await CallAsync("evm_increaseTime", seconds);
        await CallAsync("evm_mine");
        await ReadAsync();
    }

    public Task ReadAsync() => _federation.Reader.ReadAsync(Cancellation);

    public async Task<JsonElement> CallAsync(string method, params object[] arguments)
    {
        using var response = await _http.PostAsJsonAsync(Rpc, new { jsonrpc = "2.0", id = 1, method, @params = arguments }, Cancellation);
        var answer = await response.Content.ReadFromJsonAsync<JsonElement>(Cancellation);
        Assert.False(answer.TryGetProperty("error", out var error), $"{method}: {error}");
        return answer.GetProperty("result");
    }

    public async ValueTask DisposeAsync()
    {
        await _federation.DisposeAsync();
        _http.Dispose();
        _folder.Dispose();
    }
}
