using System.Security.Cryptography;
using FedChain.Protocol.Ethereum;
using Org.BouncyCastle.Crypto.Digests;

namespace FedChain.Protocol.Tests.Ethereum;

[Trait("Category", "Vectors")]
public sealed class HashVectorTests
{
    public static IEnumerable<TheoryDataRow<VectorCase>> Hashes => EthereumVectors.Cases("ethers/hashes.json");

    public static IEnumerable<TheoryDataRow<VectorCase>> Hmacs => EthereumVectors.Cases("ethers/hmac.json");

    [Theory(SkipTestWithoutData = true), MemberData(nameof(Hashes))]
    public void Hashes_agree_with_ethers(VectorCase @case)
    {
        var data = @case.Json.Bytes("data");
        Assert.Equal(@case.Json.Text("keccak256"), Keccak256.Hash(data).ToString());
        Assert.Equal(@case.Json.Text("sha256"), Hex.Encode(SHA256.HashData(data)));
        Assert.Equal(@case.Json.Text("sha512"), Hex.Encode(SHA512.HashData(data)));
        Assert.Equal(@case.Json.Text("ripemd160"), Hex.Encode(Ripemd160(data)));
    }

    [Theory(SkipTestWithoutData = true), MemberData(nameof(Hmacs))]
    public void Message_authentication_codes_agree_with_ethers(VectorCase @case)
    {
        var (key, data) = (@case.Json.Bytes("key"), @case.Json.Bytes("data"));
        var code = @case.Json.Text("algorithm") switch
        {
            "sha256" => HMACSHA256.HashData(key, data),
            "sha512" => HMACSHA512.HashData(key, data),
            var other => throw new NotSupportedException(other),
        };
        Assert.Equal(@case.Json.Text("hmac"), Hex.Encode(code));
    }

    internal static byte[] Ripemd160(ReadOnlySpan<byte> data)
    {
        var digest = new RipeMD160Digest();
        digest.BlockUpdate(data);
        var hash = new byte[digest.GetDigestSize()];
        digest.DoFinal(hash, 0);
        return hash;
    }
}
