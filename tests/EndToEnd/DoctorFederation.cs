using System.Net.Http.Json;
using System.Text.Json;
using FedChain.Node.Homes;
using FedChain.Node.Peer;
using Microsoft.Extensions.Time.Testing;

namespace FedChain.EndToEnd.Tests;

/// <summary>A federation of three, of whom the first is examined and the others' peers are up, and serve.</summary>
public sealed class DoctorFederation : IAsyncLifetime
{
    private readonly HttpClient _http = new();
    private readonly List<PeerHost> _others = [];
    private readonly FakeTimeProvider _othersTime = new();
    private TestFederation? _federation;

    internal TestFederation Federation => _federation!;

    internal HomeFolder HomeOfFirst => Federation.HomeOf(0);

    public async ValueTask InitializeAsync()
    {
        _federation = await TestFederation.FoundAsync(members: 3, rounds: 1, steps: 1);
        await _federation.Reader.ReadAsync(TestContext.Current.CancellationToken);
        for (var i = 1; i < 3; i++)
        {
            _others.Add(await StartAsync(i, _othersTime));
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var peer in _others)
        {
            await peer.DisposeAsync();
        }

        _http.Dispose();
        await (_federation?.DisposeAsync() ?? ValueTask.CompletedTask);
    }

    /// <summary>Lets the others try again what they tried for the test before.</summary>
    internal void Forget() => _othersTime.Advance(TimeSpan.FromMinutes(1));

    internal Task<PeerHost> StartAsync(int member, TimeProvider? time = null) => PeerHost.StartAsync(
        Federation.HomeOf(member), Federation.Passphrase, rpc: null, (_, _) => Task.FromResult<ILocalTrainer>(new IntegerTrainer(Federation.Layout, member)),
        _ => { }, time ?? TimeProvider.System, deceit: null, TestContext.Current.CancellationToken);

    /// <summary>A copy of the first member's home, to be spoilt.</summary>
    internal HomeFolder CopyHome(string to, Func<HomeSettings, HomeSettings>? change = null)
    {
        var from = Federation.Members[0].Home;
        if (!OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(to, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }

        Directory.CreateDirectory(Path.Combine(to, "keys"));
        foreach (var file in Directory.GetFiles(Path.Combine(from, "keys")).Append(Path.Combine(from, "home.json")))
        {
            File.Copy(file, Path.Combine(to, Path.GetRelativePath(from, file)));
        }

        var home = HomeFolder.Open(to);
        home.Save(change?.Invoke(home.Settings) ?? home.Settings);
        return home;
    }

    /// <summary>What anvil does at a test's wish.</summary>
    internal async Task<JsonElement> AskAnvilAsync(string method, params object[] parameters)
    {
        using var response = await _http.PostAsJsonAsync(
            Federation.Chain.RpcUrl, new { jsonrpc = "2.0", id = 1, method, @params = parameters }, TestContext.Current.CancellationToken);
        var answer = await response.Content.ReadFromJsonAsync<JsonElement>(TestContext.Current.CancellationToken);
        return answer.TryGetProperty("result", out var result) ? result : throw new InvalidOperationException(answer.GetRawText());
    }
}
