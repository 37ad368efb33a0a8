using FedChain.Network.Content;
using FedChain.Protocol.Content;

namespace FedChain.Node.Audit;

/// <summary>Where an audit finds content: stores on this machine, all of which are held against the digests, and the members' endpoints.</summary>
internal sealed class ContentSources(IReadOnlyList<BlockStore> stores, ContentFetcher fetcher, BlockStore scratch)
{
    /// <summary>What was found of a piece of content.</summary>
    /// <param name="Detail">Who had it; or each trouble, with its place.</param>
    /// <param name="Bytes">The block, if one was asked for.</param>
    /// <param name="Store">Where a whole file lies now.</param>
    public sealed record Found(CheckResult Result, string Detail, byte[]? Bytes = null, BlockStore? Store = null);

    public async Task<Found> BlockAsync(Cid cid, IReadOnlyList<Uri> endpoints, int maxSize, CancellationToken cancellationToken)
    {
        byte[]? bytes = null;
        var held = await InStoresAsync(
            async store =>
            {
                if (await store.GetAsync(cid, cancellationToken: cancellationToken) is not { } block)
                {
                    return false;
                }

                bytes = block.ToArray();
                return true;
            });
        if (held is { } found)
        {
            return found with { Bytes = bytes };
        }

        var fetched = await fetcher.FetchBlockAsync(cid, endpoints, maxSize, cancellationToken);
        return Of(cid, fetched) with { Bytes = fetched.IsComplete ? fetched.Bytes.ToArray() : null };
    }

    /// <summary>A whole file: every block against its CID, and the sum of bytes against the size that the manifest says.</summary>
    public async Task<Found> FileAsync(Cid cid, long size, IReadOnlyList<Uri> endpoints, CancellationToken cancellationToken)
    {
        BlockStore? holder = null;
        var held = await InStoresAsync(async store =>
        {
            if (!await store.HasAsync(cid, cancellationToken))
            {
                return false;
            }

            await SizedAsync(store, cid, size, cancellationToken);
            holder = store;
            return true;
        });
        if (held is { } found)
        {
            return found with { Store = holder };
        }

        var fetched = await fetcher.FetchFileAsync(cid, endpoints, size, scratch, cancellationToken);
        if (!fetched.IsComplete)
        {
            return Of(cid, fetched);
        }

        try
        {
            await SizedAsync(scratch, cid, size, cancellationToken);
        }
        catch (InvalidDataException e)
        {
            return new Found(CheckResult.Failed, e.Message);
        }

        return Of(cid, fetched) with { Store = scratch };
    }

    private static Found Of(Cid cid, FetchResult fetched) => fetched.Status switch
    {
        FetchStatus.Complete when fetched.Attempts.Any(IsWrong) => new Found(CheckResult.Failed, $"{cid}: {string.Join("; ", fetched.Attempts.Where(IsWrong))}"),
        FetchStatus.Complete => new Found(CheckResult.Held, fetched.ToString()),
        FetchStatus.Failed => new Found(CheckResult.Failed, $"{cid}: {fetched}"),
        _ => new Found(CheckResult.Unavailable, $"{cid}: {fetched}"),
    };

    private static bool IsWrong(EndpointAttempt attempt) => attempt.Failure is FetchFailure.WrongBytes or FetchFailure.CorruptThere;

    private static async Task SizedAsync(BlockStore store, Cid cid, long size, CancellationToken cancellationToken)
    {
        var read = await store.CopyFileAsync(cid, Stream.Null, maxSize: size, cancellationToken: cancellationToken);
        if (read != size)
        {
            throw new InvalidDataException($"{cid} has {read} bytes, but its manifest says {size}");
        }
    }

    /// <summary>Looks in every store; null if none has it.</summary>
    private async Task<Found?> InStoresAsync(Func<BlockStore, Task<bool>> look)
    {
        var holders = new List<string>();
        var troubles = new List<string>();
        foreach (var store in stores)
        {
            try
            {
                if (await look(store))
                {
                    holders.Add(store.Folder);
                }
            }
            catch (Exception e) when (e is CorruptBlockException or InvalidDataException or EndOfStreamException)
            {
                troubles.Add($"{store.Folder}: {e.Message}");
            }
        }

        return troubles.Count > 0 ? new Found(CheckResult.Failed, string.Join("; ", troubles))
            : holders.Count > 0 ? new Found(CheckResult.Held, $"in {holders.Count} of {stores.Count} stores")
            : null;
    }
}
