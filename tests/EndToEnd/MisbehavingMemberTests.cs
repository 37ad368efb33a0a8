using System.Net;
using FedChain.Network.Content;
using FedChain.Network.Tests.Content;
using FedChain.Node.Demo;
using FedChain.Node.Peer;
using FedChain.Protocol;
using FedChain.Protocol.Content;
using FedChain.Protocol.Envelope;
using FedChain.Protocol.Files;
using FedChain.Protocol.Manifests;
using FedChain.Protocol.Rounds;

namespace FedChain.EndToEnd.Tests;

/// <summary>
/// The fourth of four members keeps its update from others. The round goes on, and its update is in the aggregate exactly if at least 4 - q(4) + 1 = 2
/// statements of holdings name it; every honest member comes to the same aggregate.
/// </summary>
public sealed class MisbehavingMemberTests
{
    private const int Members = 4;
    private const int Misbehaving = 3; // the index of member 4
    private const uint Day = 24 * 3600;
    private static readonly RoundId Round = new(1);
    private static readonly int[] Steps = [1, 2, 3, 6]; // the mean is 2 without the last and 3 with it

    [Fact]
    public async Task Who_serves_its_payload_to_one_peer_only_is_in_since_that_one_serves_it_to_the_others()
    {
        await using var scene = await Scene.StartAsync();
        scene.Payloads = 1;
        await scene.RunAsync();
        await scene.EndsAsync(isIn: true);
        var sources = scene.SourcesOfTheLast();
        Assert.Single(sources, s => s.StartsWith("served by", StringComparison.Ordinal) && s.Contains(scene.FrontAddress, StringComparison.Ordinal));
        Assert.Equal(2, sources.Count(s => !s.Contains(scene.FrontAddress, StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Who_serves_its_payload_to_nobody_is_out()
    {
        await using var scene = await Scene.StartAsync();
        scene.Payloads = 0;
        await scene.RunAsync();
        await scene.HonestHoldEachOthersAsync();
        await scene.Control.AdvanceAsync(Day / 3); // nobody waits longer for what is missing
        await scene.EndsAsync(isIn: false);
    }

    [Fact]
    public async Task Whose_file_opens_for_one_member_only_is_in_since_that_one_seals_it_to_the_others()
    {
        await using var scene = await Scene.StartAsync(garbled: [1, 2]);
        await scene.RunAsync();
        await scene.EndsAsync(isIn: true);
        Assert.Equal(2, scene.SourcesOfTheLast().Count(s => s.StartsWith("re-sealed by", StringComparison.Ordinal) && !s.Contains(scene.FrontAddress, StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Whose_file_opens_for_nobody_else_is_out()
    {
        await using var scene = await Scene.StartAsync(garbled: [0, 1, 2]);
        await scene.RunAsync();
        await scene.HonestHoldEachOthersAsync();
        await scene.Control.AdvanceAsync(Day / 3);
        await scene.EndsAsync(isIn: false);
        Assert.All(scene.Honest, peer => Assert.DoesNotContain(peer.Events, e => e is PeerEvent.UpdateRefused)); // it isn't provably wrong, only not to be had
    }

    [Fact]
    public async Task Who_vanishes_after_submitting_is_out_and_its_turn_passes()
    {
        await using var scene = await Scene.StartAsync(vanishes: true);
        await scene.RunAsync();
        await scene.HonestHoldEachOthersAsync();
        await scene.Control.AdvanceAsync(Day / 3);
        foreach (var peer in scene.Honest)
        {
            await peer.SeenAsync<PeerEvent.HoldingsSigned>(e => e.Held == 3 && e.Submissions == 4);
        }

        await scene.Federation.Reader.ReadAsync(scene.Cancellation);
        if (scene.Federation.Reader.State.Current!.AggregatorOf(0).Member.Value == Misbehaving + 1)
        {
            await scene.Control.AdvanceAsync(Day); // its turn passes
        }

        await scene.Control.AdvanceAsync(Day / 2); // with three of four statements the aggregator waits for half of its window
        await scene.EndsAsync(isIn: false);
    }

    private sealed class Scene : IAsyncDisposable
    {
        private readonly HttpClient _http = new();
        private readonly List<RunningPeer> _peers = [];
        private readonly CancellationTokenSource _limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        private readonly TaskCompletionSource _othersMayTrain = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private TestServer? _front;
        private Uri _behind = null!;
        private string? _payload;
        private bool _reseals = true;
        private int _served;

        private Scene(TestFederation federation)
        {
            (Federation, Control) = (federation, new AnvilControl(federation.Chain.RpcUrl));
            _limit.CancelAfter(TimeSpan.FromMinutes(8));
        }

        public TestFederation Federation { get; }

        public AnvilControl Control { get; }

        public CancellationToken Cancellation => _limit.Token;

        public IEnumerable<RunningPeer> Honest => _peers.Take(Misbehaving);

        /// <summary>Host and port that the profile of the misbehaving one names.</summary>
        public string FrontAddress { get; private set; } = "";

        /// <summary>How often its sealed file is served; by default always. Where it isn't, nothing is sealed anew by it either.</summary>
        public int? Payloads { get; set; }

        /// <param name="garbled">Indices of members whose stanzas in its file are made for another key.</param>
        /// <param name="vanishes">Whether it stops once it has submitted.</param>
        public static async Task<Scene> StartAsync(int[]? garbled = null, bool vanishes = false)
        {
            var federation = await TestFederation.FoundAsync(
                Members, rounds: 1, steps: 1, DemoDefaults.Params(1) with { Training = Day, Publishing = Day, Attesting = Day });
            var scene = new Scene(federation) { _reseals = garbled is null };
            try
            {
                await scene.StartPeersAsync(garbled ?? [], vanishes);
                return scene;
            }
            catch
            {
                await scene.DisposeAsync();
                throw;
            }
        }

        /// <summary>Submits the misbehaving one's update, then the others'.</summary>
        public async Task RunAsync()
        {
            var submitted = await _peers[Misbehaving].SeenAsync<PeerEvent.Submitted>();
            _payload = submitted.Payload;
            _othersMayTrain.SetResult();
        }

        public async Task HonestHoldEachOthersAsync()
        {
            foreach (var (peer, index) in Honest.Select((p, i) => (p, i)))
            {
                foreach (var other in Enumerable.Range(0, Misbehaving).Where(i => i != index))
                {
                    await peer.SeenAsync<PeerEvent.UpdateHeld>(e => e.Of == other + 1);
                }
            }
        }

        public async Task EndsAsync(bool isIn)
        {
            foreach (var peer in Honest)
            {
                Assert.True((await peer.SeenAsync<PeerEvent.RoundEnded>()).Finalised);
            }

            await Federation.Reader.ReadAsync(Cancellation);
            var round = Federation.Reader.State.Rounds.Single();
            Assert.Equal(Members, round.Submissions.Length);
            var last = round.SubmissionOf(new MemberId(Misbehaving + 1))!.Index;
            using var store = new BlockStore(Federation.HomeOf((int)round.Winner!.Aggregator.Value - 1).StorePath);
            var manifest = GlobalManifest.Parse((await store.GetAsync(Cid.RawOf(round.Winner.Manifest), cancellationToken: Cancellation))!.Value.Span);
            var statements = Assert.IsType<HoldingsSource.Inline>(manifest.Holdings).Holdings;
            Assert.InRange(statements.Length, Quorum.Of(Members), Members);
            Assert.Equal(isIn, statements.Count(s => s.Held.Indices.Contains(last)) >= Members - Quorum.Of(Members) + 1);
            Assert.Equal(Enumerable.Range(0, Members).Where(i => isIn || i != last), manifest.Included.Indices);

            var first = Adapter.First(Federation.Layout, default, 20);
            foreach (var index in Enumerable.Range(0, Misbehaving))
            {
                var path = Federation.HomeOf(index).AdapterFile(round.Winner.Aggregate);
                while (!File.Exists(path)) // who was not needed for the quorum may still be recomputing
                {
                    await Task.Delay(20, Cancellation);
                }

                using var file = File.OpenRead(path);
                var adapter = AdapterFile.Read(file, file.Length, 20, Federation.Layout, out _);
                Assert.Equal(first.Values.ToArray().Select(v => v + (isIn ? 3 : 2)), adapter.Values.ToArray());
                Assert.DoesNotContain(_peers[index].Events, e => e is PeerEvent.Attested { Valid: false });
            }
        }

        /// <summary>From whom each honest member got the misbehaving one's update.</summary>
        public List<string> SourcesOfTheLast() =>
            [.. Honest.Select(p => p.Events.OfType<PeerEvent.UpdateHeld>().Single(e => e.Of == Misbehaving + 1).From)];

        public async ValueTask DisposeAsync()
        {
            foreach (var peer in _peers)
            {
                await peer.DisposeAsync();
            }

            await (_front?.DisposeAsync() ?? ValueTask.CompletedTask);
            Control.Dispose();
            await Federation.DisposeAsync();
            _http.Dispose();
            _limit.Dispose();
        }

        private async Task StartPeersAsync(int[] garbled, bool vanishes)
        {
            // Its published endpoint is a front, which forwards to its peer what it chooses to.
            var home = Federation.HomeOf(Misbehaving);
            var published = IPEndPoint.Parse(home.Settings.Listen);
            FrontAddress = published.ToString();
            home.Save(home.Settings with { Listen = "127.0.0.1:0" });
            _front = await TestServer.StartAsync(AnswerAsync, published.Port);
            var deceit = new Deceit
            {
                SealTo = (_, recipients) => [.. recipients.Select((r, i) => garbled.Contains(i) ? StrangerLike(r) : r)],
            };
            for (var i = 0; i < Members; i++)
            {
                var trainer = new IntegerTrainer(Federation.Layout, Steps[i]);
                var peer = i == Misbehaving
                    ? await RunningPeer.StartAsync(home, Federation.Passphrase, trainer, Cancellation, deceit)
                    : await RunningPeer.StartAsync(Federation.HomeOf(i), Federation.Passphrase, new HeldTrainer(trainer, _othersMayTrain.Task), Cancellation);
                _peers.Add(peer);
            }

            _behind = _peers[Misbehaving].Endpoint;
            if (vanishes)
            {
                await _peers[Misbehaving].SeenAsync<PeerEvent.Submitted>();
                await _peers[Misbehaving].DisposeAsync();
            }
        }

        /// <summary>A stanza for it looks like one for the member, and authenticates like it.</summary>
        private static AgeRecipient StrangerLike(AgeRecipient recipient)
        {
            using var stranger = AgeIdentity.Generate(recipient.Kind);
            return stranger.Recipient;
        }

        private async Task AnswerAsync(Microsoft.AspNetCore.Http.HttpContext context)
        {
            var path = context.Request.Path.Value!;
            var refuses = path.StartsWith("/fedchain/v1/payload/", StringComparison.Ordinal) ? !_reseals || Payloads is not null
                : path == $"/ipfs/{_payload}" && Payloads is { } most && Interlocked.Increment(ref _served) > most;
            if (refuses)
            {
                context.Response.StatusCode = 404;
                return;
            }

            using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(_behind, path + context.Request.QueryString));
            request.Headers.TryAddWithoutValidation("Accept", context.Request.Headers.Accept.AsEnumerable());
            using var answer = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, context.RequestAborted);
            context.Response.StatusCode = (int)answer.StatusCode;
            context.Response.ContentType = answer.Content.Headers.ContentType?.ToString();
            await answer.Content.CopyToAsync(context.Response.Body, context.RequestAborted);
        }
    }
}
