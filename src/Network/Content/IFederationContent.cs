using FedChain.Protocol;

namespace FedChain.Network.Content;

/// <summary>What a member serves to the others beside blocks. The peer implements it; the gateway only carries it.</summary>
public interface IFederationContent
{
    /// <summary>This member's signed statement of which updates of the round it holds, as JSON; null where there is none.</summary>
    Task<byte[]?> HoldingsAsync(RoundId round, CancellationToken cancellationToken);

    /// <summary>Writes the plaintext with this digest, sealed to the reader's recipients. False, and nothing written, where it isn't held
    /// or the reader isn't entitled to it.</summary>
    Task<bool> WritePayloadAsync(Hash256 digest, PayloadReader to, Stream destination, CancellationToken cancellationToken);

    /// <summary>The endpoints that a member publishes in its profile on the chain; null where there is no such member.</summary>
    IReadOnlyList<Uri>? EndpointsOf(MemberId member);
}
