using System.Text.Json;
using FedChain.Protocol.Ethereum;
using FedChain.Protocol.Ethereum.Signing;

namespace FedChain.Protocol.Tests.Ethereum.Signing;

public sealed class SigningTests
{
    private static readonly Address Rounds = Address.Parse("0x5fbdb2315678afecb367f032d93f642f64180aa3");

    public static IEnumerable<TheoryDataRow<VectorCase>> EthersTypedData => EthereumVectors.Cases("ethers/typed-data.json");

    public static IEnumerable<TheoryDataRow<VectorCase>> SignedTypedData => EthereumVectors.Cases("generated/eip712_signed.json");

    public static IEnumerable<TheoryDataRow<VectorCase>> SignedMessages => EthereumVectors.Cases("generated/eip191_signed.json");

    [Theory(SkipTestWithoutData = true), MemberData(nameof(EthersTypedData)), Trait("Category", "Vectors")]
    public void Typed_data_is_encoded_as_in_ethers(VectorCase @case)
    {
        var data = TypedData.Create(@case.Json.GetProperty("types"), @case.Json.Text("primaryType"), @case.Json.GetProperty("domain"), @case.Json.GetProperty("data"));
        Assert.Equal(@case.Json.Text("encoded"), Hex.Encode(data.EncodedData));
        Assert.Equal(@case.Json.Text("digest"), data.Digest.ToString());
        if (@case.Json.TryGetProperty("privateKey", out var secret))
        {
            using var key = new PrivateKey(Hex.Decode(secret.GetString()!));
            Assert.Equal(@case.Json.Text("signature"), key.Sign(data.Digest).ToString());
        }
    }

    [Theory(SkipTestWithoutData = true), MemberData(nameof(SignedTypedData)), Trait("Category", "Vectors")]
    public void Typed_data_is_signed_as_by_ethers_and_viem(VectorCase @case)
    {
        var data = TypedData.Parse(@case.Json.GetProperty("typedData").GetRawText());
        Assert.Equal(@case.Json.Text("encodeType"), data.EncodeType(data.PrimaryType));
        Assert.Equal(@case.Json.Text("typeHash"), data.TypeHash(data.PrimaryType).ToString());
        Assert.Equal(@case.Json.Text("domainSeparator"), data.DomainSeparator.ToString());
        Assert.Equal(@case.Json.Text("encodedData"), Hex.Encode(data.EncodedData));
        Assert.Equal(@case.Json.Text("structHash"), data.StructHash.ToString());
        Assert.Equal(@case.Json.Text("digest"), data.Digest.ToString());

        using var key = new PrivateKey(@case.Json.Bytes("privateKey"));
        var signature = key.Sign(data.Digest);
        Assert.Equal(@case.Json.Text("signature"), signature.ToString());
        Assert.Equal(@case.Json.Text("r"), signature.R.ToString());
        Assert.Equal(@case.Json.Text("s"), signature.S.ToString());
        Assert.Equal(@case.Json.GetProperty("v").GetInt32(), 27 + signature.YParity);
        Assert.Equal(@case.Json.Text("signer"), Signature.Parse(@case.Json.Bytes("signature")).Recover(data.Digest).ToChecksum());
    }

    [Theory(SkipTestWithoutData = true), MemberData(nameof(SignedMessages)), Trait("Category", "Vectors")]
    public void Personal_messages_are_signed_as_by_ethers_and_viem(VectorCase @case)
    {
        var digest = PersonalMessage.Digest(@case.Json.Bytes("messageHex"));
        Assert.Equal(@case.Json.Text("hash"), digest.ToString());
        using var key = new PrivateKey(@case.Json.Bytes("privateKey"));
        Assert.Equal(@case.Json.Text("signature"), key.Sign(digest).ToString());
        Assert.Equal(@case.Json.Text("signer"), key.Sign(digest).Recover(digest).ToChecksum());
    }

    [Fact]
    public void The_fast_path_of_holdings_and_attestations_agrees_with_the_general_one()
    {
        var domain = new SigningDomain(31337, Rounds);
        var holdings = new Holdings(new RoundId(7), Keccak256.Hash("set"), new byte[] { 0b101, 0xff });
        var attestation = new Attestation(new RoundId(7), 2, Keccak256.Hash("candidate"), true);
        Assert.Equal(General("Holdings", $$"""{"round":7,"set":"{{holdings.Set}}","bitmap":"0x05ff"}"""), domain.Digest(holdings));
        Assert.Equal(General("Attestation", $$"""{"round":7,"turn":2,"candidate":"{{attestation.Candidate}}","valid":true}"""), domain.Digest(attestation));
        Assert.NotEqual(new SigningDomain(1, Rounds).Digest(holdings), domain.Digest(holdings));
        Assert.NotEqual(domain.Digest(attestation with { Valid = false }), domain.Digest(attestation));
    }

    [Theory]
    [InlineData("""{"a":"256"}""")]
    [InlineData("""{"a":-1}""")]
    [InlineData("""{"a":1.5}""")]
    [InlineData("""{"a":null}""")]
    [InlineData("""{}""")]
    [InlineData("""[]""")]
    public void Values_that_do_not_fit_are_refused(string message) =>
        Assert.Throws<FormatException>(() => Create("""{"T":[{"name":"a","type":"uint8"}]}""", message));

    [Theory]
    [InlineData("""{}""")]
    [InlineData("""{"T":[{"name":"a","type":"Missing"}]}""")]
    [InlineData("""{"T":[{"name":"a","type":"uint8[2]"}]}""")]
    [InlineData("""{"T":[{"name":"a","type":"]"}]}""")]
    [InlineData("""{"T":[{"name":"a"}]}""")]
    [InlineData("""{"T":1}""")]
    [InlineData("""{"T":[],"T":[]}""")]
    [InlineData("""{"T":[{"name":"a","type":"(uint8 x)"}]}""")]
    public void Types_that_make_no_sense_are_refused(string types) => Assert.Throws<FormatException>(() => Create(types, """{"a":[1]}"""));

    [Fact]
    public void What_is_not_json_is_refused() => Assert.Throws<FormatException>(() => TypedData.Parse("{"));

    private static TypedData Create(string types, string message) => TypedData.Create(Json(types), "T", Json("{}"), Json(message));

    private static JsonElement Json(string text) => JsonDocument.Parse(text).RootElement.Clone();

    private static Hash256 General(string type, string message) => TypedData.Parse($$"""
        {"types":{"EIP712Domain":[{"name":"name","type":"string"},{"name":"version","type":"string"},{"name":"chainId","type":"uint256"},{"name":"verifyingContract","type":"address"}],
        "Holdings":[{"name":"round","type":"uint256"},{"name":"set","type":"bytes32"},{"name":"bitmap","type":"bytes"}],
        "Attestation":[{"name":"round","type":"uint256"},{"name":"turn","type":"uint256"},{"name":"candidate","type":"bytes32"},{"name":"valid","type":"bool"}]},
        "primaryType":"{{type}}","domain":{"name":"FedChain","version":"1","chainId":31337,"verifyingContract":"{{Rounds}}"},"message":{{message}}}
        """).Digest;
}
