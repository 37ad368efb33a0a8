using System.Buffers;
using System.Security.Cryptography;
using FedChain.Network.Content;
using FedChain.Node.Peer;
using FedChain.Protocol;
using FedChain.Protocol.Content;
using FedChain.Protocol.Envelope;
using FedChain.Protocol.Rounds;

namespace FedChain.Node.Audit;

/// <summary>
/// Opens sealed files with an auditor's or member's key, into files, so that memory doesn't grow with their size. What the author sealed comes first; if
/// that can't be had, or isn't sealed to this key, the members are asked to seal the plaintext anew, which its digest authenticates.
/// </summary>
internal sealed class PlaintextSource(AuditKey key, ContentFetcher fetcher)
{
    /// <summary>What came of opening a sealed file.</summary>
    /// <param name="Result">Failed: the published file opens, to other bytes than its digest names.</param>
    /// <param name="Detail">Whose copy it was; or what was wrong, or missing.</param>
    public sealed record Opened(CheckResult Result, string Detail);

    /// <param name="file">What was found of the published file.</param>
    /// <param name="payload">Its CID.</param>
    /// <param name="digest">The plaintext's SHA-256.</param>
    /// <param name="maxSize">The most bytes of plaintext.</param>
    /// <param name="round">The round that it was sealed in, which bounds the envelope's size.</param>
    /// <param name="endpoints">Whom to ask for the plaintext, in order.</param>
    /// <param name="destination">Where the plaintext goes; written only if the digest is right.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async Task<Opened> OpenAsync(
        ContentSources.Found file, Cid payload, Hash256 digest, long maxSize, RoundState round, IReadOnlyList<Uri> endpoints, string destination, CancellationToken cancellationToken)
    {
        var troubles = new List<string>();
        if (file.Store is { } store)
        {
            try
            {
                await using var source = store.OpenFile(payload);
                var found = await WriteAsync(source, maxSize, destination, digest, cancellationToken);
                return found == digest ? new Opened(CheckResult.Held, "opened as published")
                    : new Opened(CheckResult.Failed, $"the published file {payload} opens to {found}, but {digest} is named");
            }
            catch (AgeException e)
            {
                troubles.Add(e.Failure == AgeFailure.NoMatchingIdentity ? $"{payload} is not sealed to {key.Name}" : $"{payload}: {e.Message}");
            }
            catch (InvalidDataException e)
            {
                return new Opened(CheckResult.Failed, $"the published file {payload}: {e.Message}");
            }
        }
        else
        {
            troubles.Add($"the published file can't be had ({file.Detail})");
        }

        foreach (var endpoint in endpoints)
        {
            if (await AskAsync(endpoint, digest, maxSize, round, destination, cancellationToken) is not { } trouble)
            {
                return new Opened(CheckResult.Held, $"sealed anew for {key.Name} by {endpoint}");
            }

            troubles.Add(trouble);
        }

        return new Opened(CheckResult.Unavailable, string.Join("; ", troubles));
    }

    /// <summary>Null if the endpoint gave the plaintext; else why not.</summary>
    private async Task<string?> AskAsync(Uri endpoint, Hash256 digest, long maxSize, RoundState round, string destination, CancellationToken cancellationToken)
    {
        var temporary = destination + ".age";
        try
        {
            await using var sealedFile = new FileStream(temporary, FileMode.Create, FileAccess.ReadWrite, FileShare.None, bufferSize: 1 << 16, FileOptions.DeleteOnClose);
            var fetched = await fetcher.GetPayloadAsync(endpoint, digest, key.Reader, sealedFile, ContentExchange.SealedBound(maxSize, round), cancellationToken);
            if (!fetched.IsComplete)
            {
                return fetched.ToString();
            }

            sealedFile.Position = 0;
            var found = await WriteAsync(sealedFile, maxSize, destination, digest, cancellationToken);
            return found == digest ? null : $"{endpoint}: sent other bytes than {digest}";
        }
        catch (Exception e) when (e is AgeException or InvalidDataException)
        {
            return $"{endpoint}: {e.Message}"; // this endpoint's fault, not the author's
        }
    }

    private async Task<Hash256> WriteAsync(Stream sealedFile, long maxSize, string destination, Hash256 expected, CancellationToken cancellationToken)
    {
        var temporary = destination + ".tmp";
        using var sha = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = ArrayPool<byte>.Shared.Rent(1 << 16);
        try
        {
            await using (var reader = await AgeReader.OpenAsync(sealedFile, key.Identities, leaveOpen: true, cancellationToken))
            await using (var file = File.Create(temporary))
            {
                for (int read; (read = await reader.ReadAsync(buffer, cancellationToken)) > 0;)
                {
                    if (file.Length + read > maxSize)
                    {
                        throw new InvalidDataException($"it holds more than the {maxSize} bytes that it can have");
                    }

                    sha.AppendData(buffer, 0, read);
                    await file.WriteAsync(buffer.AsMemory(0, read), cancellationToken);
                }
            }

            var found = new Hash256(sha.GetHashAndReset());
            if (found == expected)
            {
                File.Move(temporary, destination, overwrite: true);
            }

            return found;
        }
        finally
        {
            File.Delete(temporary);
            CryptographicOperations.ZeroMemory(buffer);
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
