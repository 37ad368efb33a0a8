using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using FedChain.Network.Content;
using FedChain.Node.Peer;
using FedChain.Protocol;
using FedChain.Protocol.Content;
using FedChain.Protocol.Envelope;
using FedChain.Protocol.Manifests;
using FedChain.Protocol.Rounds;

namespace FedChain.Node.Tests.Peer;

/// <summary>How many files of a round with five others are opened at a time.</summary>
public sealed class ContentExchangeTests : IDisposable
{
    private const int MaxSize = 1000;
    private static readonly MemberId Me = new(6);

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("fedchain-exchange-");
    private readonly AgeIdentity _identity = AgeIdentity.Generate();
    private readonly BlockStore _store;
    private readonly ContentFetcher _fetcher = new(new ContentFetcherOptions { AllowPrivateAddresses = true }, TimeProvider.System);
    private readonly ContentExchange _exchange;

    public ContentExchangeTests()
    {
        _store = new BlockStore(_folder.FullName);
        _exchange = new ContentExchange(_fetcher, _store, [_identity], Me);
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _fetcher.Dispose();
        _store.Dispose();
        _identity.Dispose();
        _folder.Delete(recursive: true);
    }

    [Fact]
    public async Task Three_plaintexts_are_held_at_a_time_and_the_next_is_opened_when_one_is_done_with()
    {
        var round = Round();
        var held = new List<OpenedFile>();
        for (var author = 1; author <= ContentExchange.MaxOpened; author++)
        {
            held.Add(await OpenAsync(round, author));
        }

        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var cancelled = OpenAsync(round, 4, stop.Token);
        var waiting = OpenAsync(round, 5);
        Assert.False(await ComesAsync(cancelled));
        Assert.False(await ComesAsync(waiting));
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled);

        held[0].Dispose();
        held[0].Dispose(); // which gives nothing back that it hasn't
        using var fifth = await waiting;
        Assert.Equal("update 5"u8, fifth.Plaintext);
        var sixth = OpenAsync(round, 4);
        Assert.False(await ComesAsync(sixth));
        held[1].Dispose();
        (await sixth).Dispose();
        held[2].Dispose();
    }

    [Fact]
    public async Task What_fails_gives_its_turn_back()
    {
        var round = Round();
        var (payload, size, _) = await SealAsync("something else");
        for (var i = 0; i <= ContentExchange.MaxOpened; i++)
        {
            await Assert.ThrowsAsync<InvalidDataException>(() => _exchange.OpenAsync(round, new MemberId(1), payload, size, DigestOf("update 1"), MaxSize, Cancel));
            await Assert.ThrowsAsync<ContentUnavailableException>(() => _exchange.OpenAsync(round, new MemberId(1), Cid.OfRawBlock([9]), 1, DigestOf("update 1"), MaxSize, Cancel));
        }

        (await OpenAsync(round, 1)).Dispose();
    }

    [Fact]
    public async Task Authors_that_hang_keep_nobody_from_being_opened()
    {
        await using var silent = await ContentGateway.StartAsync(_store, new Silent(), new ContentGatewayOptions(), Cancel);
        var round = Round(silent.BaseAddress);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        Task[] hanging = [.. Enumerable.Range(0, ContentExchange.MaxOpened + 1).Select(_ =>
            _exchange.OpenAsync(round, new MemberId(1), Cid.OfRawBlock([9]), 1, DigestOf("held by nobody"), MaxSize, stop.Token))];
        (await OpenAsync(round, 2)).Dispose();
        Assert.All(hanging, task => Assert.False(task.IsCompleted));
        await stop.CancelAsync();
        await Task.WhenAll(hanging.Select(task => Assert.ThrowsAnyAsync<OperationCanceledException>(() => task)));
        using var again = await OpenAsync(round, 2);
    }

    /// <summary>Whether something comes that should not: if it doesn't in this time, it is taken to wait.</summary>
    private static async Task<bool> ComesAsync(Task task) => await Task.WhenAny(task, Task.Delay(200, Cancel)) == task;

    /// <summary>An author's file, which the store has.</summary>
    private async Task<OpenedFile> OpenAsync(RoundState round, int author, CancellationToken? cancellation = null)
    {
        var (payload, size, digest) = await SealAsync($"update {author}");
        return await _exchange.OpenAsync(round, new MemberId((uint)author), payload, size, digest, MaxSize, cancellation ?? Cancel);
    }

    private async Task<(Cid Payload, long Size, Hash256 Digest)> SealAsync(string text)
    {
        using var file = new MemoryStream();
        await using (var age = new AgeWriter(file, [_identity.Recipient], leaveOpen: true))
        {
            await age.WriteAsync(Encoding.ASCII.GetBytes(text), Cancel);
            await age.CompleteAsync(Cancel);
        }

        file.Position = 0;
        var (payload, _) = await _store.AddAsync(file, Cancel);
        return (payload, file.Length, DigestOf(text));
    }

    private static Hash256 DigestOf(string text) => new(SHA256.HashData(Encoding.ASCII.GetBytes(text)));

    private static RoundState Round(params Uri[] endpoints)
    {
        var profile = Encoding.UTF8.GetString(new Profile("a", [AgeIdentity.Generate().Recipient.ToString()], [.. endpoints.Select(e => e.ToString().TrimEnd('/'))], default, default).ToBytes());
        MemberId[] members = [.. Enumerable.Range(1, (int)Me.Value).Select(i => new MemberId((uint)i))];
        return DecisionTests.Round() with
        {
            Seats = members.Select(m => new Seat(m, default, default, new RoundId(1), null)).ToImmutableSortedDictionary(s => s.Id, s => s),
            Profiles = members.ToImmutableDictionary(m => m, _ => profile),
        };
    }

    /// <summary>Takes requests for payloads, and never answers.</summary>
    private sealed class Silent : IFederationContent
    {
        public Task<byte[]?> HoldingsAsync(RoundId round, CancellationToken cancellationToken) => Task.FromResult<byte[]?>(null);

        public IReadOnlyList<Uri>? EndpointsOf(MemberId member) => null;

        public async Task<bool> WritePayloadAsync(Hash256 digest, PayloadReader to, Stream destination, CancellationToken cancellationToken)
        {
            await Task.Delay(Timeout.Infinite, cancellationToken);
            return false;
        }
    }
}
