using System.Globalization;
using FedChain.Protocol.Files;

namespace FedChain.Protocol.Identity;

/// <summary>A place on the chain.</summary>
/// <param name="Number">The block's height.</param>
/// <param name="Hash">The block's identity.</param>
/// <param name="Time">Unix seconds.</param>
public readonly record struct BlockMoment(ulong Number, Hash256 Hash, ulong Time);

/// <summary>The result of resolving a DID (W3C DID Resolution): the document, and what the chain says about it.</summary>
public static class DidResolution
{
    /// <param name="document">See <see cref="DidDocument"/>.</param>
    /// <param name="created">When the seat was activated.</param>
    /// <param name="updated">When anything in the document last changed; its block is the version.</param>
    /// <param name="readAt">The block up to which the chain was read.</param>
    /// <param name="deactivated">Whether the seat is gone.</param>
    public static JsonValue Of(JsonValue document, BlockMoment created, BlockMoment updated, BlockMoment readAt, bool deactivated)
    {
        (string, JsonValue)[] metadata = [("created", Time(created)), ("updated", Time(updated)), ("versionId", Version(updated))];
        return JsonValue.Of(
            ("@context", "https://w3id.org/did-resolution/v1"),
            ("didDocument", document),
            ("didDocumentMetadata", JsonValue.Of(deactivated ? [.. metadata, ("deactivated", true)] : metadata)),
            ("didResolutionMetadata", JsonValue.Of(("block", Version(readAt)), ("contentType", "application/did+ld+json"))));
    }

    private static string Version(BlockMoment at) => string.Create(CultureInfo.InvariantCulture, $"{at.Number}-{at.Hash}");

    private static string Time(BlockMoment at) =>
        DateTimeOffset.FromUnixTimeSeconds((long)at.Time).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}
