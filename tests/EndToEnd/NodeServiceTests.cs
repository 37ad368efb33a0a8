using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using FedChain.Node.Peer;
using FedChain.Protocol;

namespace FedChain.EndToEnd.Tests;

/// <summary>The peer as a service manager, a monitoring system and an operator see it.</summary>
public sealed class NodeServiceTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(8);

    [Fact]
    public async Task A_service_says_how_it_fares_pauses_resumes_and_ends_when_it_is_asked_to()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "SIGTERM and sd_notify are Unix's.");
        await using var federation = await TestFederation.FoundAsync(members: 3, rounds: 1, steps: 9_000); // far longer than the test takes
        using var patience = Limit();
        using var folder = new TemporaryFolder();
        using var manager = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        manager.Bind(new UnixDomainSocketEndPoint(folder["notify"]));
        var told = new ConcurrentQueue<string>();
        _ = ReceiveAsync(manager, told);
        var home = federation.HomeOf(0);
        var seen = new Signals();
        await using var member = MemberProcess.Start(
            Fedchain.Path, home.Path, federation.Home.PassphraseFile, seen.Take, arguments: ["--monitor", "0"],
            variables: [("NOTIFY_SOCKET", folder["notify"]), ("WATCHDOG_USEC", "200000")]);
        var monitored = await seen.OfAsync<PeerEvent.Monitored>(member, patience.Token);
        await seen.OfAsync<PeerEvent.Training>(member, patience.Token);
        using var http = new HttpClient { BaseAddress = new Uri(monitored.Address) };
        var health = await HealthAsync(http, status => Doing(status).Contains("training for round 1") && status.GetProperty("training").GetProperty("step").GetInt32() > 1, patience.Token);
        Assert.Equal((1, "Training", 9_000), (health.GetProperty("round").GetInt32(), health.GetProperty("phase").GetString(), health.GetProperty("training").GetProperty("steps").GetInt32()));
        using var metrics = await http.GetAsync("metrics", patience.Token);
        Assert.StartsWith("text/plain; version=0.0.4", metrics.Content.Headers.ContentType!.ToString(), StringComparison.Ordinal);
        var text = await metrics.Content.ReadAsStringAsync(patience.Token);
        Assert.Contains("\nfedchain_training_steps 9000\n", text, StringComparison.Ordinal);
        Assert.Contains("\nfedchain_phase{phase=\"Training\"} 1\n", text, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.NotFound, (await http.GetAsync("other", patience.Token)).StatusCode);

        (await Fedchain.RunAsync("node", "pause", "--home", home.Path, "--reason", "the machine is needed")).RequireDone();
        (await Fedchain.RunAsync("node", "pause", "--home", home.Path)).RequireRefusal("has been paused since");
        Assert.Equal("the machine is needed", (await seen.OfAsync<PeerEvent.Paused>(member, patience.Token)).Reason);
        health = await HealthAsync(http, status => status.GetProperty("condition").GetString() == "Paused" && status.GetProperty("training").ValueKind == JsonValueKind.Null, patience.Token);
        Assert.EndsWith(": the machine is needed", health.GetProperty("why").GetString(), StringComparison.Ordinal);
        seen.Forget();
        (await Fedchain.RunAsync("node", "resume", "--home", home.Path)).RequireDone();
        await seen.OfAsync<PeerEvent.Resumed>(member, patience.Token);
        await seen.OfAsync<PeerEvent.Training>(member, patience.Token);
        Assert.Contains("It was not paused.", (await Fedchain.RunAsync("node", "resume", "--home", home.Path)).RequireDone(), StringComparison.Ordinal);

        member.Terminate();
        Assert.Equal(0, await member.EndAsync(patience.Token));
        Assert.Equal("", member.Errors);
        Assert.Equal(["training for round 1"], Assert.IsType<PeerEvent.Stopped>(member.Events[^1]).GivenUp);
        while (!told.Contains("STOPPING=1"))
        {
            await Task.Delay(20, patience.Token);
        }

        Assert.Equal("READY=1", told.First());
        Assert.Contains("WATCHDOG=1\nSTATUS=round 1 Training", told);
        Assert.Contains(told, t => t.StartsWith("WATCHDOG=1\nSTATUS=round 1 Training; paused since", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Asked_to_end_before_it_is_up_it_ends_as_well()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "SIGTERM is Unix's.");
        await using var federation = await TestFederation.FoundAsync(members: 2, rounds: 1, steps: 1);
        using var patience = Limit();
        await using var chain = new TcpListenerThatNeverAnswers();
        await using var member = MemberProcess.Start(Fedchain.Path, federation.Members[0].Home, federation.Home.PassphraseFile, arguments: ["--rpc", chain.Url]);
        await chain.Asked.WaitAsync(patience.Token); // it runs, and waits for its first answer
        member.Terminate();
        Assert.Equal(0, await member.EndAsync(patience.Token));
        Assert.Equal("", member.Errors);
    }

    [Fact]
    public async Task A_paused_member_costs_its_contribution_and_has_the_result()
    {
        await using var federation = await TestFederation.FoundAsync(members: 3, rounds: 1, steps: 1);
        using var control = new AnvilControl(federation.Chain.RpcUrl);
        using var patience = Limit();
        new Pause(TimeProvider.System.GetUtcNow(), Reason: null).Write(federation.HomeOf(0));
        var peers = new List<RunningPeer>();
        try
        {
            for (var i = 0; i < 3; i++)
            {
                peers.Add(await RunningPeer.StartAsync(federation.HomeOf(i), federation.Passphrase, i == 0 ? new IdleTrainer(federation.Layout) : new IntegerTrainer(federation.Layout, i + 1), patience.Token));
            }

            await peers[0].SeenAsync<PeerEvent.Paused>();
            await peers[1].SeenAsync<PeerEvent.Submitted>();
            await peers[2].SeenAsync<PeerEvent.Submitted>();
            await control.AdvanceAsync(1800);
            Assert.True((await peers[0].SeenAsync<PeerEvent.RoundEnded>(e => e.Round == 1)).Finalised);
            await peers[0].SeenAsync<PeerEvent.AdapterObtained>();
        }
        finally
        {
            foreach (var peer in peers)
            {
                await peer.DisposeAsync();
            }
        }

        await federation.Reader.ReadAsync(patience.Token);
        Assert.Equal([2u, 3u], federation.Reader.State.Round(new RoundId(1))!.Submissions.Select(s => s.Member.Value).Order());
    }

    private static CancellationTokenSource Limit()
    {
        var source = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        source.CancelAfter(Patience);
        return source;
    }

    /// <summary>Until the socket is closed.</summary>
    private static async Task ReceiveAsync(Socket socket, ConcurrentQueue<string> told)
    {
        try
        {
            for (var buffer = new byte[4096]; ;)
            {
                told.Enqueue(Encoding.UTF8.GetString(buffer, 0, await socket.ReceiveAsync(buffer)));
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // closed
        }
    }

    private static IEnumerable<string?> Doing(JsonElement status) => status.GetProperty("doing").EnumerateArray().Select(d => d.GetString());

    private static async Task<JsonElement> HealthAsync(HttpClient http, Func<JsonElement, bool> until, CancellationToken cancellation)
    {
        while (true)
        {
            using var answer = await http.GetAsync("health", cancellation);
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
            var status = JsonDocument.Parse(await answer.Content.ReadAsStringAsync(cancellation)).RootElement;
            if (until(status))
            {
                return status;
            }

            await Task.Delay(20, cancellation);
        }
    }

    /// <summary>What a process reported, to be waited for.</summary>
    private sealed class Signals
    {
        private readonly Lock _gate = new();
        private readonly List<PeerEvent> _events = [];

        public void Take(PeerEvent e)
        {
            lock (_gate)
            {
                _events.Add(e);
            }
        }

        public void Forget()
        {
            lock (_gate)
            {
                _events.Clear();
            }
        }

        public async Task<T> OfAsync<T>(MemberProcess process, CancellationToken cancellation)
            where T : PeerEvent
        {
            while (true)
            {
                lock (_gate)
                {
                    if (_events.OfType<T>().FirstOrDefault() is { } found)
                    {
                        return found;
                    }
                }

                Assert.True(process.IsRunning, process.Errors);
                await Task.Delay(20, cancellation);
            }
        }
    }

    /// <summary>A chain's node that takes requests and says nothing.</summary>
    private sealed class TcpListenerThatNeverAnswers : IAsyncDisposable
    {
        private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
        private readonly TaskCompletionSource _asked = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly List<TcpClient> _clients = [];
        private readonly Task _taking;

        public TcpListenerThatNeverAnswers()
        {
            _listener.Start();
            _taking = TakeAsync();
        }

        public string Url => $"http://{_listener.LocalEndpoint}/";

        public Task Asked => _asked.Task;

        public async ValueTask DisposeAsync()
        {
            _listener.Stop();
            await _taking;
            _clients.ForEach(c => c.Dispose());
        }

        private async Task TakeAsync()
        {
            try
            {
                while (true)
                {
                    _clients.Add(await _listener.AcceptTcpClientAsync());
                    _asked.TrySetResult();
                }
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                // stopped
            }
        }
    }
}
