using System.Globalization;
using FedChain.Protocol.Content;
using FedChain.Protocol.Envelope;
using FedChain.Protocol.Ethereum;
using FedChain.Protocol.Files;
using FedChain.Protocol.Manifests;
using FedChain.Protocol.Rounds;

namespace FedChain.Protocol.Identity;

/// <summary>
/// A member's DID document (W3C DID Core 1.0), made of nothing but the chain. Its keys are addresses, whose public keys are not on the chain until they
/// sign, hence EcdsaSecp256k1RecoveryMethod2020 with the account (CAIP-10); age recipients are X25519KeyAgreementKey2020. What DID Core has no word for
/// is defined in a context of its own: the model's identity, and the recipients as age writes them (the post-quantum ones have no registered key type).
/// </summary>
public static class DidDocument
{
    private const string KeyType = "EcdsaSecp256k1RecoveryMethod2020";
    private const string AgreementType = "X25519KeyAgreementKey2020";
    private const string Vocabulary = "urn:fedchain:";
    private const string AgePrefix = "age";

    private static readonly byte[] X25519Multicodec = [0xec, 0x01];

    private static readonly JsonValue Context = JsonValue.Of(
    [
        "https://www.w3.org/ns/did/v1",
        "https://w3id.org/security/suites/secp256k1recovery-2020/v2",
        "https://w3id.org/security/suites/x25519-2020/v1",
        JsonValue.Of(
            ("FedChainContent", Vocabulary + "Content"),
            ("adapterConfig", Vocabulary + "adapterConfig"),
            ("ageRecipient", JsonValue.Of(("@container", "@list"), ("@id", Vocabulary + "ageRecipient"))),
            ("baseModel", Vocabulary + "baseModel"),
            ("fedchainModel", Vocabulary + "model"),
            ("modelId", Vocabulary + "modelId")),
    ]);

    /// <summary>The document of a seat that is held.</summary>
    /// <param name="did">The member.</param>
    /// <param name="seat">Its seat, as the chain says now.</param>
    /// <param name="profile">Its latest profile; null if it can't be read, for then the chain says nothing of model, recipients and endpoints.</param>
    public static JsonValue Of(MemberDid did, Seat seat, Profile? profile)
    {
        var id = did.ToString();
        string operatorKey = id + "#operator", holderKey = id + "#holder";
        var methods = new List<JsonValue> { Account(did, operatorKey, seat.Operator), Account(did, holderKey, seat.Holder) };
        var agreements = new List<JsonValue>();
        foreach (var point in (profile?.Age ?? []).Select(X25519Of).OfType<byte[]>())
        {
            var key = string.Create(CultureInfo.InvariantCulture, $"{id}#age-{agreements.Count + 1}");
            agreements.Add(key);
            methods.Add(JsonValue.Of(
                ("controller", id), ("id", key), ("publicKeyMultibase", (char)CidBase.Base58Btc + Multibase.Encode(CidBase.Base58Btc, [.. X25519Multicodec, .. point])), ("type", AgreementType)));
        }

        var fields = new List<(string, JsonValue)>
        {
            ("@context", Context),
            ("assertionMethod", JsonValue.Of([operatorKey])),
            ("authentication", JsonValue.Of([operatorKey])),
            ("capabilityInvocation", JsonValue.Of([holderKey])), // the holder votes, and names the operator
            ("id", id),
            ("keyAgreement", JsonValue.Of(agreements)),
            ("verificationMethod", JsonValue.Of(methods)),
        };
        if (profile is not null)
        {
            var model = ModelIdentity.Of(did.Chain, did.Membership, did.Member, profile);
            fields.Add(("ageRecipient", JsonValue.Of(profile.Age.Select(r => (JsonValue)r))));
            fields.Add(("fedchainModel", JsonValue.Of(("adapterConfig", model.AdapterConfig), ("baseModel", model.BaseModel), ("modelId", model.Id))));
            fields.Add(("service", JsonValue.Of(profile.Endpoints.Select((endpoint, i) => JsonValue.Of(
                ("id", string.Create(CultureInfo.InvariantCulture, $"{id}#content-{i + 1}")), ("serviceEndpoint", endpoint), ("type", "FedChainContent"))))));
        }

        return JsonValue.Of([.. fields]);
    }

    /// <summary>What is left of a document when the seat is gone: no key speaks for it any more.</summary>
    public static JsonValue Deactivated(MemberDid did) => JsonValue.Of(("@context", "https://www.w3.org/ns/did/v1"), ("id", did.ToString()));

    private static JsonValue Account(MemberDid did, string key, Address address) => JsonValue.Of(
        ("blockchainAccountId", string.Create(CultureInfo.InvariantCulture, $"eip155:{did.Chain}:{address.ToChecksum()}")), ("controller", did.ToString()), ("id", key), ("type", KeyType));

    /// <summary>The public key of an X25519 recipient; null for every other text, and for a point that nothing may be sealed to.</summary>
    private static byte[]? X25519Of(string recipient)
    {
        var point = new byte[Hash256.Size];
        return AgeRecipient.TryParse(recipient, out _) && Bech32.TryDecode(recipient, AgePrefix, point) is null ? point : null;
    }
}
