using System.Buffers;
using FedChain.Protocol;
using FedChain.Protocol.Content;

namespace FedChain.Network.Content;

/// <summary>
/// Fetches content from the endpoints of other members, of which none is trusted: every block is checked against its CID as it arrives.
/// Endpoints are asked in the given order until one serves; one that lies, stalls or sends too much is left for the next. What an endpoint
/// did is data (<see cref="FetchResult"/>), not an exception. Where the operator has an IPFS node, that is asked first: it looks among its peers.
/// </summary>
public sealed class ContentFetcher : IDisposable
{
    /// <summary>The most that a caller can allow a file to have, in bytes: 1 TiB.</summary>
    public const long MaxFileSize = 1L << 40;

    private const long MaxReachSize = 64 * 1024;

    private readonly ContentFetcherOptions _options;
    private readonly EndpointClient _client;
    private readonly KuboStore? _node;

    /// <param name="options">What is accepted from endpoints.</param>
    /// <param name="time">Keeps it.</param>
    /// <param name="node">The operator's IPFS node, which is then what files are fetched into; null if there is none.</param>
    public ContentFetcher(ContentFetcherOptions options, TimeProvider time, KuboStore? node = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(time);
        _options = options;
        _client = new EndpointClient(options, time);
        _node = node;
    }

    /// <summary>Fetches one block, such as a manifest, into <see cref="FetchResult.Bytes"/>.</summary>
    /// <param name="cid">The block; its multihash must be one that can be checked.</param>
    /// <param name="endpoints">Base URLs, in the order to ask.</param>
    /// <param name="maxSize">The most bytes to accept.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async Task<FetchResult> FetchBlockAsync(
        Cid cid, IReadOnlyList<Uri> endpoints, int maxSize, CancellationToken cancellationToken = default)
    {
        ThrowUnlessVerifiable(cid);
        ReadOnlyMemory<byte> block = default;
        return await AskEachAsync(
            endpoints, async endpoint => block = await GetBlockAsync(endpoint, cid, maxSize, cancellationToken), () => block,
            async node => block = await SwarmFetch.BlockAsync(node, cid, maxSize, cancellationToken));
    }

    /// <summary>
    /// Fetches a file into the store: as one CAR where nothing of it is here yet, else its missing blocks one by one. Blocks that
    /// arrived are kept whatever happens next, so another call goes on where this one ended. Corrupted blocks of the store are replaced.
    /// </summary>
    /// <param name="root">The file's CID, raw or dag-pb.</param>
    /// <param name="endpoints">Base URLs, in the order to ask.</param>
    /// <param name="maxSize">The most bytes of file to accept, up to <see cref="MaxFileSize"/>.</param>
    /// <param name="into">Where the blocks go.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="IOException">The store failed.</exception>
    public async Task<FetchResult> FetchFileAsync(
        Cid root, IReadOnlyList<Uri> endpoints, long maxSize, IContentStore into, CancellationToken cancellationToken = default)
    {
        ThrowUnlessVerifiable(root);
        ArgumentNullException.ThrowIfNull(into);
        ArgumentOutOfRangeException.ThrowIfNegative(maxSize);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(maxSize, MaxFileSize);
        var wanted = new WantedBlocks(root, maxSize);
        try
        {
            await TakeFromStoreAsync(wanted, into, cancellationToken);
        }
        catch (FetchException e)
        {
            return FetchResult.Incomplete([new EndpointAttempt(Endpoint: null, e.Failure, e.Message)]);
        }

        var result = wanted.IsComplete
            ? FetchResult.Complete(servedBy: null, default, [])
            : await AskEachAsync(
                endpoints, endpoint => FetchWantedAsync(endpoint, wanted, maxSize, into, cancellationToken), () => default,
                async node =>
                {
                    if (!await SwarmFetch.FileAsync(node, wanted, cancellationToken))
                    {
                        await TakeFromStoreAsync(wanted, into, cancellationToken); // what has come needn't come again
                        throw new FetchException(FetchFailure.TooSlow, "the IPFS node has not found all of it in time");
                    }
                });
        if (result.IsComplete)
        {
            await into.PinAsync(root, cancellationToken);
        }

        return result;
    }

    /// <summary>A member's statement of holdings, in <see cref="FetchResult.Bytes"/>; unchecked.</summary>
    public async Task<FetchResult> GetHoldingsAsync(Uri endpoint, RoundId round, CancellationToken cancellationToken = default)
    {
        ReadOnlyMemory<byte> holdings = default;
        return await AskEachAsync(
            [endpoint],
            async asked =>
            {
                await using var body = await _client.GetAsync(
                    asked, $"/fedchain/v1/holdings/{round}", "application/json", _options.MaxHoldingsSize, cancellationToken);
                holdings = await body.ReadAllAsync(cancellationToken);
            },
            () => holdings);
    }

    /// <summary>Asks a member whether it reaches another one's endpoints; its answer, in <see cref="FetchResult.Bytes"/>, is for <see cref="EndpointAnswer.Read"/>.</summary>
    public async Task<FetchResult> GetReachAsync(Uri endpoint, MemberId member, CancellationToken cancellationToken = default)
    {
        ReadOnlyMemory<byte> answer = default;
        return await AskEachAsync(
            [endpoint],
            async asked =>
            {
                await using var body = await _client.GetAsync(asked, $"/fedchain/v1/reach/{member}", "application/json", MaxReachSize, cancellationToken);
                answer = await body.ReadAllAsync(cancellationToken);
            },
            () => answer);
    }

    /// <summary>
    /// Writes the payload with this digest, sealed to <paramref name="to"/>, as it arrives; unchecked, and on failure cut off somewhere. What
    /// is inside is checked against the digest by whoever opens it.
    /// </summary>
    public Task<FetchResult> GetPayloadAsync(
        Uri endpoint, Hash256 digest, PayloadReader to, Stream destination, long maxSize, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(destination);
        return AskEachAsync(
            [endpoint],
            async asked =>
            {
                await using var body = await _client.GetAsync(asked, $"/fedchain/v1/payload/{digest}?to={to}", accept: null, maxSize, cancellationToken);
                await body.CopyToAsync(destination, cancellationToken);
            },
            () => default);
    }

    public void Dispose() => _client.Dispose();

    private static void ThrowUnlessVerifiable(Cid cid)
    {
        if (!cid.CanVerify)
        {
            throw new ArgumentException($"{cid} can't be checked, so it isn't fetched: expected a SHA-256 multihash.", nameof(cid));
        }
    }

    /// <param name="askNode">How the IPFS node is asked; null for what only endpoints have.</param>
    private async Task<FetchResult> AskEachAsync(
        IReadOnlyList<Uri> endpoints, Func<Uri, Task> ask, Func<ReadOnlyMemory<byte>> bytes, Func<KuboStore, Task>? askNode = null)
    {
        var sources = endpoints.Select(endpoint => (Address: endpoint, Ask: new Func<Task>(() => ask(endpoint))));
        if (_node is not null && askNode is not null)
        {
            sources = sources.Prepend((_node.Api, () => askNode(_node)));
        }

        var attempts = new List<EndpointAttempt>();
        foreach (var (address, askIt) in sources)
        {
            try
            {
                await askIt();
                return FetchResult.Complete(address, bytes(), attempts);
            }
            catch (FetchException e)
            {
                attempts.Add(new EndpointAttempt(address, e.Failure, e.Message));
                if (e.Failure == FetchFailure.NotAFile)
                {
                    break; // the name itself is bad: others have nothing better
                }
            }
        }

        return FetchResult.Incomplete(attempts);
    }

    private static async Task TakeFromStoreAsync(WantedBlocks wanted, IContentStore store, CancellationToken cancellationToken)
    {
        var buffer = new ArrayBufferWriter<byte>();
        var next = new Queue<Cid>(wanted.Cids);
        while (next.TryDequeue(out var cid))
        {
            ReadOnlyMemory<byte>? block;
            try
            {
                block = await store.GetAsync(cid, buffer, cancellationToken);
            }
            catch (CorruptBlockException)
            {
                continue; // fetched anew, and put in its place
            }

            if (block is not null)
            {
                foreach (var child in wanted.Accept(cid, block.Value))
                {
                    next.Enqueue(child);
                }
            }
        }
    }

    private async Task FetchWantedAsync(Uri endpoint, WantedBlocks wanted, long maxSize, IContentStore into, CancellationToken cancellationToken)
    {
        await using var writer = into.BeginWrite();
        try
        {
            if (wanted.HasNothing)
            {
                await FetchCarAsync(endpoint, wanted, maxSize, writer, cancellationToken);
            }

            FetchException? lack = null;
            var next = new Queue<Cid>(wanted.Cids);
            while (next.TryDequeue(out var cid))
            {
                byte[] block;
                try
                {
                    block = await GetBlockAsync(endpoint, cid, wanted.MaxSizeOf(cid), cancellationToken);
                }
                catch (FetchException e) when (e.Failure is FetchFailure.NotFound or FetchFailure.CorruptThere)
                {
                    lack = lack is null || e.Failure == FetchFailure.CorruptThere ? e : lack;
                    continue; // others may have this one; the rest is taken from here
                }

                var children = wanted.Accept(cid, block);
                await writer.PutAsync(cid, block, cancellationToken);
                foreach (var child in children)
                {
                    next.Enqueue(child);
                }
            }

            if (lack is not null)
            {
                throw lack;
            }
        }
        finally
        {
            await writer.CommitAsync(CancellationToken.None); // what has come was paid for
        }
    }

    /// <summary>Takes what it can from a CAR. Returns also where it ends early or isn't offered, or not all of the file is
    /// there; blocks are then asked for one by one.</summary>
    private async Task FetchCarAsync(Uri endpoint, WantedBlocks wanted, long maxSize, IContentWriter writer, CancellationToken cancellationToken)
    {
        var maxBytes = maxSize + (maxSize / 64) + (64 * 1024); // nodes, CIDs and lengths take a two-thousandth of a file in blocks of 256 KiB
        try
        {
            await using var body = await _client.GetAsync(
                endpoint, $"/ipfs/{wanted.Root}?format=car&dag-scope=all", "application/vnd.ipld.car; version=1; order=dfs; dups=n", maxBytes, cancellationToken);
            var car = await CarReader.OpenAsync(body, cancellationToken: cancellationToken);
            while (!wanted.IsComplete && await car.ReadAsync(cancellationToken) is { } block)
            {
                if (wanted.Had(block.Cid))
                {
                    continue; // a repetition, which a CAR may have
                }

                if (!wanted.Wants(block.Cid))
                {
                    throw new FetchException(FetchFailure.WrongBytes, $"it sent block {block.Cid}, which nobody asked for");
                }

                wanted.Accept(block.Cid, block.Bytes);
                await writer.PutAsync(block.Cid, block.Bytes, cancellationToken);
            }
        }
        catch (InvalidDataException e)
        {
            throw new FetchException(FetchFailure.WrongBytes, $"wrong bytes: {e.Message}", e);
        }
        catch (EndOfStreamException)
        {
            return;
        }
        catch (FetchException e) when (e.Failure is FetchFailure.CutOff or FetchFailure.Refused or FetchFailure.NotFound)
        {
            return;
        }
    }

    private async Task<byte[]> GetBlockAsync(Uri endpoint, Cid cid, long maxSize, CancellationToken cancellationToken)
    {
        if (cid.IsIdentity)
        {
            return cid.DigestBytes;
        }

        await using var body = await _client.GetAsync(endpoint, $"/ipfs/{cid}?format=raw", TrustlessGateway.RawType, maxSize, cancellationToken);
        var block = await body.ReadAllAsync(cancellationToken);
        return cid.Matches(block)
            ? block
            : throw new FetchException(FetchFailure.WrongBytes, $"wrong bytes: it sent {block.Length} bytes that aren't block {cid}");
    }
}
