using System.Net.Http.Json;
using System.Text.Json;
using FedChain.Network.Chain;
using FedChain.Network.Tests.Chain;
using FedChain.Node.LocalChain;
using FedChain.Protocol;
using FedChain.Protocol.Ethereum;
using FedChain.Tests;

[assembly: AssemblyFixture(typeof(NpmFixture))]

namespace FedChain.Network.Tests.Chain;

/// <summary>Installs the npm packages once, if they aren't there.</summary>
public sealed class NpmFixture : IAsyncLifetime
{
    public async ValueTask InitializeAsync() => await NpmPackages.EnsureAsync(Shared.RepositoryRoot);

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}

/// <summary>A fresh chain of one test, a funded account on it, and what a test node can do beyond a real one.</summary>
internal sealed class LocalChain : IAsyncDisposable
{
    public const ulong ChainId = 31337;

    private readonly AnvilChain _anvil;
    private readonly HttpClient _http = new();

    private LocalChain(AnvilChain anvil, ChainOptions options)
    {
        _anvil = anvil;
        Client = new ChainClient(_http, anvil.RpcUrl, options);
        Funded = new PrivateKey(Hex.Decode(AnvilChain.DevelopmentKey));
        Sender = new TransactionSender(Client, Funded, ChainId);
    }

    public static ChainOptions Options { get; } = new() { PollInterval = TimeSpan.FromMilliseconds(20), ReplaceAfter = TimeSpan.FromMilliseconds(500) };

    public ChainClient Client { get; }

    public PrivateKey Funded { get; }

    public TransactionSender Sender { get; }

    public static async Task<LocalChain> StartAsync(TimeSpan? blockTime = null, ChainOptions? options = null) => new(
        await AnvilChain.StartAsync(new AnvilOptions { RepositoryRoot = Shared.RepositoryRoot, BlockTime = blockTime }, TestContext.Current.CancellationToken),
        options ?? Options);

    /// <summary>A method of anvil's own, e.g. evm_mine.</summary>
    public async Task<JsonElement> DoAsync(string method, params object[] parameters)
    {
        using var response = await _http.PostAsJsonAsync(_anvil.RpcUrl, new { jsonrpc = "2.0", id = 1, method, @params = parameters }, TestContext.Current.CancellationToken);
        var json = await response.Content.ReadFromJsonAsync<JsonElement>(TestContext.Current.CancellationToken);
        return json.TryGetProperty("result", out var result) ? result : throw new InvalidOperationException(json.GetRawText());
    }

    /// <summary>A new key with 10 ether.</summary>
    public async Task<PrivateKey> CreateFundedKeyAsync()
    {
        var key = PrivateKey.Create();
        await Sender.SendOrThrowAsync(TransactionIntent.Transfer(key.Address, EtherAmount.Parse("10", EtherAmount.Ether)), TestContext.Current.CancellationToken);
        return key;
    }

    public TransactionSender SenderOf(PrivateKey key) => new(Client, key, ChainId);

    public async ValueTask DisposeAsync()
    {
        Sender.Dispose();
        Funded.Dispose();
        _http.Dispose();
        await _anvil.DisposeAsync();
    }
}
