using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using CsCheck;
using FedChain.Protocol.Content;
using FedChain.Protocol.Envelope;
using FedChain.Protocol.Ethereum;
using FedChain.Protocol.Files;
using FedChain.Protocol.Identity;
using FedChain.Protocol.Manifests;
using FedChain.Protocol.Rounds;

namespace FedChain.Protocol.Tests.Identity;

public sealed class DidTests
{
    private static readonly MemberDid Did = MemberDid.Parse("did:fedchain:31337:0x5fbdb2315678afecb367f032d93f642f64180aa3:2");

    private static readonly Seat Seat = new(
        new MemberId(2), Address.Parse("0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266"), Address.Parse("0x70997970c51812dc3a010c7d01b50e0d17dc79c8"), new RoundId(1), null);

    [Fact]
    public void A_did_has_one_spelling() => Gen.Select(Gen.ULong, Gen.Byte.Array[Address.Size], Gen.UInt[1, uint.MaxValue]).Sample((chain, contract, member) =>
    {
        var did = new MemberDid(chain, new Address(contract), new MemberId(member));
        Assert.Equal(did, MemberDid.Parse(did.ToString()));
        Assert.False(MemberDid.TryParse(did.ToString().ToUpperInvariant(), out _));
    });

    [Theory]
    [InlineData("did:fedchain:1:0x5fbdb2315678afecb367f032d93f642f64180aa3")]
    [InlineData("did:fedchain:1:0x5fbdb2315678afecb367f032d93f642f64180aa3:0")]
    [InlineData("did:fedchain:1:0x5fbdb2315678afecb367f032d93f642f64180aa3:01")]
    [InlineData("did:fedchain:1:0x5FbDB2315678afecb367f032d93F642f64180aa3:1")]
    [InlineData("did:fedchain:1:0x5fbdb2315678afecb367f032d93f642f64180aa3:1#operator")]
    [InlineData("did:fedchain:1:0x5fbd:1")]
    [InlineData("did:ethr:1:0x5fbdb2315678afecb367f032d93f642f64180aa3:1")]
    [InlineData("")]
    public void What_is_no_member_is_no_did(string text) => Assert.Throws<FormatException>(() => MemberDid.Parse(text));

    [Fact]
    public void The_document_says_what_the_chain_says()
    {
        using var identity = AgeIdentity.FromSecret([.. Enumerable.Repeat((byte)2, 32)]);
        var hybrid = "age1pq1" + new string('q', 100);
        var profile = new Profile("St. Anna", [hybrid, identity.Recipient.ToString()], ["https://a.example", "https://b.example"], Keccak256.Hash("base"), Keccak256.Hash("config"));
        var document = Json(DidDocument.Of(Did, Seat, profile));

        Assert.Equal("https://www.w3.org/ns/did/v1", document.GetProperty("@context")[0].GetString());
        Assert.Equal(Did.ToString(), document.GetProperty("id").GetString());
        var methods = document.GetProperty("verificationMethod").EnumerateArray().ToDictionary(m => m.GetProperty("id").GetString()!, StringComparer.Ordinal);
        Assert.Equal("eip155:31337:0x70997970C51812dc3A010C7d01b50e0d17dc79C8", methods[$"{Did}#operator"].GetProperty("blockchainAccountId").GetString());
        Assert.Equal("eip155:31337:0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266", methods[$"{Did}#holder"].GetProperty("blockchainAccountId").GetString());
        Assert.All(methods.Values, m => Assert.Equal(Did.ToString(), m.GetProperty("controller").GetString()));
        Assert.Equal($"{Did}#operator", document.GetProperty("assertionMethod")[0].GetString());

        // multibase base58-btc of multicodec x25519-pub (0xec01) and the key: every one of them begins with z6LS
        var agreement = Assert.Single(document.GetProperty("keyAgreement").EnumerateArray()).GetString()!;
        var text = methods[agreement].GetProperty("publicKeyMultibase").GetString()!;
        Assert.StartsWith("z6LS", text, StringComparison.Ordinal);
        Assert.True(Multibase.TryDecode('z', text.AsSpan(1), out var bytes));
        Assert.Equal([0xec, 0x01], bytes[..2]);
        Assert.Equal(identity.Recipient.ToString(), Bech32.Encode("age", bytes.AsSpan(2)));

        Assert.Equal([hybrid, identity.Recipient.ToString()], document.GetProperty("ageRecipient").EnumerateArray().Select(r => r.GetString()));
        Assert.Equal(profile.Endpoints, document.GetProperty("service").EnumerateArray().Select(s => s.GetProperty("serviceEndpoint").GetString()));
        var model = document.GetProperty("fedchainModel");
        Assert.Equal(ModelId.Of(31337, Did.Membership, Did.Member, profile.BaseModel, profile.AdapterConfig).ToString(), model.GetProperty("modelId").GetString());
        Assert.Equal(profile.BaseModel.ToString(), model.GetProperty("baseModel").GetString());
        Assert.Equal(profile.AdapterConfig.ToString(), model.GetProperty("adapterConfig").GetString());

        // every term that DID Core and the suites don't define is defined in the document's own context
        var own = document.GetProperty("@context").EnumerateArray().Single(c => c.ValueKind == JsonValueKind.Object);
        Assert.All(["ageRecipient", "fedchainModel", "modelId", "baseModel", "adapterConfig", "FedChainContent"], term => Assert.True(own.TryGetProperty(term, out _), term));
    }

    [Fact]
    public void A_profile_that_cannot_be_read_leaves_the_keys_that_the_contract_knows()
    {
        var document = Json(DidDocument.Of(Did, Seat, profile: null));
        Assert.Equal(2, document.GetProperty("verificationMethod").GetArrayLength());
        Assert.False(document.TryGetProperty("fedchainModel", out _));
    }

    [Fact]
    public void A_resolution_says_when_the_seat_came_changed_and_went()
    {
        var (created, updated, head) = (new BlockMoment(5, Keccak256.Hash("5"), 1_700_000_000), new BlockMoment(9, Keccak256.Hash("9"), 1_700_000_100), new BlockMoment(12, Keccak256.Hash("12"), 1_700_000_200));
        var gone = Json(DidResolution.Of(DidDocument.Deactivated(Did), created, updated, head, deactivated: true));
        Assert.True(gone.GetProperty("didDocumentMetadata").GetProperty("deactivated").GetBoolean());
        Assert.False(gone.GetProperty("didDocument").TryGetProperty("verificationMethod", out _));
        var held = Json(DidResolution.Of(DidDocument.Of(Did, Seat, profile: null), created, updated, head, deactivated: false)).GetProperty("didDocumentMetadata");
        Assert.False(held.TryGetProperty("deactivated", out _));
        Assert.Equal("2023-11-14T22:13:20Z", held.GetProperty("created").GetString());
        Assert.Equal($"9-{updated.Hash}", held.GetProperty("versionId").GetString());
    }

    [Fact]
    public void The_model_of_a_round_is_the_one_of_its_opening()
    {
        var (first, second) = (Profile("base 1"), Profile("base 2"));
        var founded = FederationState.Empty with { Profiles = ImmutableDictionary<MemberId, string>.Empty.Add(Did.Member, first) };
        var round = new RoundState
        {
            Id = new RoundId(1),
            Contract = Address.Zero,
            Policy = default,
            Base = default,
            FinalisedBefore = 0,
            Seats = ImmutableSortedDictionary<MemberId, Seat>.Empty,
            Profiles = founded.Profiles,
            Auditors = ImmutableSortedDictionary<Address, string>.Empty,
            Eligible = 1,
            Minimum = 1,
            OpenedAt = 0,
            ClosesAt = 0,
            PublishWindow = 0,
            AttestWindow = 0,
            MaxTurns = 1,
        };
        var later = founded with { Profiles = founded.Profiles.SetItem(Did.Member, second) };
        Assert.Equal(Keccak256.Hash("base 1"), ModelIdentity.Of(Did.Chain, Did.Membership, Did.Member, round)!.BaseModel);
        Assert.Equal(Keccak256.Hash("base 2"), ModelIdentity.Of(Did.Chain, Did.Membership, Did.Member, later.Profiles[Did.Member])!.BaseModel);
        Assert.Null(ModelIdentity.Of(Did.Chain, Did.Membership, new MemberId(9), round));
        Assert.Null(ModelIdentity.Of(Did.Chain, Did.Membership, Did.Member, "no profile"));

        static string Profile(string model) => Encoding.UTF8.GetString(new Profile("x", ["age1x"], [], Keccak256.Hash(model), default).ToBytes());
    }

    private static JsonElement Json(JsonValue value) => JsonDocument.Parse(CanonicalJson.Serialize(value)).RootElement;
}
