using FedChain.Network.Content;
using FedChain.Protocol;
using FedChain.Protocol.Content;
using FedChain.Protocol.Envelope;
using FedChain.Protocol.Rounds;

namespace FedChain.Node.Peer;

/// <summary>Something that others should serve could not be had, for now; it is asked for again.</summary>
public sealed class ContentUnavailableException(string message) : Exception(message);

/// <summary>Fetches what other members serve: manifests, sealed files, holdings, and re-sealed plaintexts.</summary>
internal sealed class ContentExchange(ContentFetcher fetcher, IContentStore store, IReadOnlyList<AgeIdentity> identities, MemberId me)
{
    /// <summary>How many plaintexts are in memory at a time.</summary>
    public const int MaxOpened = 3;

    private readonly Turns _opened = new(MaxOpened);
    private readonly Turns _resealed = new(MaxOpened);

    /// <summary>Endpoints in the order to ask: the author's own, then those of the others, without this peer's.</summary>
    public IReadOnlyList<Uri> Endpoints(RoundState round, MemberId author) =>
        [.. round.Seats.Keys.Where(id => id != me).OrderBy(id => id != author).ThenBy(id => id).SelectMany(id => Sealing.EndpointsOf(round.Profiles.GetValueOrDefault(id)))];

    /// <summary>A manifest, checked against its digest and kept in the store.</summary>
    public async Task<byte[]> ManifestAsync(RoundState round, MemberId author, Hash256 digest, CancellationToken cancellationToken)
    {
        var cid = Cid.RawOf(digest);
        try
        {
            if (await store.GetAsync(cid, cancellationToken: cancellationToken) is { } here)
            {
                return here.ToArray();
            }
        }
        catch (CorruptBlockException)
        {
            // fetched anew below, which puts the right bytes in its place
        }

        var result = await fetcher.FetchBlockAsync(cid, Endpoints(round, author), Protocol.Manifests.Manifest.MaxSize, cancellationToken);
        if (!result.IsComplete)
        {
            throw new ContentUnavailableException($"manifest {cid} of member {author}: {result}");
        }

        await store.AddBlockAsync(result.Bytes, cancellationToken);
        return result.Bytes.ToArray();
    }

    /// <summary>
    /// Opens a sealed file: the one that the author published or, if that can't be had or opened here, one that another member sealed for this one
    /// (a holder serves the plaintext's digest to whoever is entitled). The plaintext is checked against its digest.
    /// </summary>
    /// <remarks>
    /// However many members there are, no more than <see cref="MaxOpened"/> plaintexts are in memory at a time, until who asked is done with them, and as
    /// many files sealed anew. Nobody is kept waiting by an author that is slow or hangs: its file comes to the disk first, which takes no turn, and
    /// to open what is there takes a moment. Files sealed anew take turns among themselves only, and those end by the fetcher's limits.
    /// </remarks>
    /// <param name="size">Bytes of the sealed file, as the manifest says.</param>
    /// <param name="maxSize">The most bytes of plaintext.</param>
    /// <returns>The plaintext, to be disposed of soon.</returns>
    /// <exception cref="InvalidDataException">The published file opens, but holds something else than the digest says.</exception>
    public async Task<OpenedFile> OpenAsync(
        RoundState round, MemberId author, Cid payload, long size, Hash256 plaintext, long maxSize, CancellationToken cancellationToken)
    {
        var troubles = new List<string>();
        var fetched = await FetchSealedAsync(round, author, payload, size, SealedBound(maxSize, round), cancellationToken);
        if (fetched.IsComplete)
        {
            try
            {
                await using var file = store.OpenFile(payload);
                return await OpenInTurnAsync(file, size, maxSize, plaintext, fetched.ToString(), cancellationToken)
                    ?? throw new InvalidDataException($"the sealed file {payload} holds other bytes than its digest {plaintext} says");
            }
            catch (AgeException e)
            {
                troubles.Add($"{payload}: {e.Message}");
            }
        }
        else
        {
            troubles.Add(fetched.ToString());
        }

        await _resealed.TakeAsync(cancellationToken);
        try
        {
            foreach (var endpoint in Endpoints(round, author))
            {
                using var buffer = new MemoryStream();
                var result = await fetcher.GetPayloadAsync(endpoint, plaintext, new PayloadReader.Member(me), buffer, SealedBound(maxSize, round), cancellationToken);
                if (!result.IsComplete)
                {
                    troubles.Add(result.ToString());
                    continue;
                }

                try
                {
                    buffer.Position = 0;
                    if (await OpenInTurnAsync(buffer, buffer.Length, maxSize, plaintext, $"re-sealed by {endpoint}", cancellationToken) is { } opened)
                    {
                        return opened;
                    }

                    troubles.Add($"{endpoint}: sent other bytes than {plaintext}");
                }
                catch (Exception e) when (e is AgeException or InvalidDataException)
                {
                    troubles.Add($"{endpoint}: {e.Message}"); // this endpoint's fault, not the author's
                }
            }
        }
        finally
        {
            _resealed.GiveBack();
        }

        throw new ContentUnavailableException($"{plaintext} of member {author}: {string.Join("; ", troubles)}");
    }

    /// <summary>Brings a sealed file into the store, so that this member serves it as well, and holds its size against the manifest's.</summary>
    /// <exception cref="InvalidDataException">The file has another size.</exception>
    public async Task<FetchResult> FetchSealedAsync(RoundState round, MemberId author, Cid payload, long size, long maxSize, CancellationToken cancellationToken)
    {
        var fetched = await fetcher.FetchFileAsync(payload, Endpoints(round, author), maxSize, store, cancellationToken);
        if (fetched.IsComplete && await store.CopyFileAsync(payload, Stream.Null, cancellationToken: cancellationToken) is var found && found != size)
        {
            throw new InvalidDataException($"the sealed file {payload} has {found} bytes, but its manifest says {size}");
        }

        return fetched;
    }

    public async Task<byte[]> HoldingsAsync(RoundState round, MemberId of, CancellationToken cancellationToken)
    {
        var troubles = new List<string>();
        foreach (var endpoint in Sealing.EndpointsOf(round.Profiles.GetValueOrDefault(of)))
        {
            var result = await fetcher.GetHoldingsAsync(endpoint, round.Id, cancellationToken);
            if (result.IsComplete)
            {
                return result.Bytes.ToArray();
            }

            troubles.Add(result.ToString());
        }

        throw new ContentUnavailableException($"holdings of member {of}: {(troubles.Count == 0 ? "its profile has no endpoint" : string.Join("; ", troubles))}");
    }

    /// <summary>The most bytes of a sealed file of this much plaintext: header and stanzas, then 16 bytes for each 64 KiB.</summary>
    public static long SealedBound(long plaintext, RoundState round) =>
        plaintext + (((plaintext / 65_536) + 2) * 16) + 1024 + ((round.Seats.Count + round.Auditors.Count) * RecipientSelection.MaxPerProfile * (long)AgeFormat.MaxStanzaBytes);

    private static bool Matches(byte[] bytes, Hash256 digest) => new Hash256(System.Security.Cryptography.SHA256.HashData(bytes)) == digest;

    /// <returns>Null if it opens and holds something else.</returns>
    private async Task<OpenedFile?> OpenInTurnAsync(Stream sealedFile, long size, long maxSize, Hash256 digest, string from, CancellationToken cancellationToken)
    {
        await _opened.TakeAsync(cancellationToken);
        OpenedFile? opened = null;
        try
        {
            var bytes = Decrypt(sealedFile, size, maxSize);
            return opened = Matches(bytes, digest) ? new OpenedFile(bytes, from, _opened) : null;
        }
        finally
        {
            if (opened is null)
            {
                _opened.GiveBack();
            }
        }
    }

    private byte[] Decrypt(Stream sealedFile, long size, long maxSize)
    {
        using var reader = AgeReader.Open(sealedFile, identities, leaveOpen: true);
        using var bytes = new MemoryStream((int)Math.Min(size, maxSize)); // a little more than the plaintext
        var buffer = new byte[65_536];
        for (int read; (read = reader.Read(buffer)) > 0;)
        {
            if (bytes.Length + read > maxSize)
            {
                throw new InvalidDataException($"a sealed file holds more than the {maxSize} bytes that it can have");
            }

            bytes.Write(buffer, 0, read);
        }

        return bytes.ToArray();
    }
}
