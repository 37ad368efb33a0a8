using System.Text;
using CsCheck;
using FedChain.Protocol.Ethereum;

namespace FedChain.Protocol.Tests.Ethereum;

public sealed class AccountTests
{
    private static readonly Hash256 Order = Hash256.Parse("0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141");

    public static IEnumerable<TheoryDataRow<VectorCase>> Accounts => EthereumVectors.Cases("ethers/accounts.json");

    public static IEnumerable<TheoryDataRow<VectorCase>> Creates => EthereumVectors.Cases("ethers/create.json");

    public static IEnumerable<TheoryDataRow<VectorCase>> Create2s => EthereumVectors.Cases("ethers/create2.json");

    [Theory(SkipTestWithoutData = true), MemberData(nameof(Accounts)), Trait("Category", "Vectors")]
    public void A_key_has_the_address_that_ethers_gives_it(VectorCase @case)
    {
        using var key = new PrivateKey(@case.Json.Bytes("privateKey"));
        Assert.Equal(@case.Json.Text("address"), key.Address.ToChecksum());
        Assert.Equal(@case.Json.Text("icap"), key.Address.ToIcap());
        Assert.Equal(key.Address, AddressText.ParseChecked(@case.Json.Text("address")));
    }

    [Theory(SkipTestWithoutData = true), MemberData(nameof(Creates)), Trait("Category", "Vectors")]
    public void A_created_contract_is_where_ethers_expects_it(VectorCase @case)
    {
        var sender = Address.Parse(@case.Json.Text("sender"));
        foreach (var create in @case.Json.GetProperty("creates").EnumerateArray())
        {
            Assert.Equal(create.Text("address"), ContractAddress.Create(sender, create.GetProperty("nonce").GetUInt64()).ToChecksum());
        }
    }

    [Theory(SkipTestWithoutData = true), MemberData(nameof(Create2s)), Trait("Category", "Vectors")]
    public void A_create2_contract_is_where_ethers_expects_it(VectorCase @case)
    {
        var sender = Address.Parse(@case.Json.Text("sender"));
        foreach (var create in @case.Json.GetProperty("creates").EnumerateArray())
        {
            var address = ContractAddress.Create2(sender, Hash256.Parse(create.Text("salt")), create.Bytes("initCode"));
            Assert.Equal(create.Text("address"), address.ToChecksum());
        }
    }

    [Fact]
    public void Signing_is_deterministic_low_s_and_recovers_to_the_signer() =>
        Gen.Select(Gen.Byte.Array[32], Gen.Byte.Array[32]).Where((k, _) => k[0] is > 0 and < 255).Sample((secret, message) =>
        {
            using var key = new PrivateKey(secret);
            var digest = new Hash256(message);
            var signature = key.Sign(digest);
            Assert.Equal(signature, key.Sign(digest));
            Assert.True(Signature.IsValid(signature.R, signature.S));
            Assert.Equal(key.Address, signature.Recover(digest));
            Assert.Equal(signature, Signature.Parse(signature.ToArray()));
            Assert.NotEqual(key.Address, signature.Recover(digest ^ Hash256.Parse("0x" + new string('0', 63) + "1")));
        }, iter: 50);

    [Fact]
    public void Signatures_are_those_of_RFC_6979_for_secp256k1()
    {
        // A widely published vector (Trezor, bitcoinjs): key 1, sha256("Satoshi Nakamoto").
        using var key = new PrivateKey(Hash256.Parse("0x" + new string('0', 63) + "1").ToArray());
        var signature = key.Sign(new Hash256(System.Security.Cryptography.SHA256.HashData("Satoshi Nakamoto"u8)));
        Assert.Equal("0x934b1ea10a4b3c1757e2b0c017d0b6143ce3c9a7e6a4a49860d7a6ab210ee3d8", signature.R.ToString());
        Assert.Equal("0x2442ce9d2b916064108014783e923ec36b49743e2ffa1c4496f01a512aafd9e5", signature.S.ToString());
    }

    [Fact]
    public void Keys_out_of_range_are_refused()
    {
        Assert.Throws<ArgumentException>(() => new PrivateKey(new byte[32]));
        Assert.Throws<ArgumentException>(() => new PrivateKey(new byte[31]));
        Assert.Throws<ArgumentException>(() => new PrivateKey(Order.ToArray()));
    }

    [Fact]
    public void A_key_shows_its_address_only_and_is_gone_once_disposed()
    {
        var key = PrivateKey.Create();
        var secret = new byte[PrivateKey.Size];
        key.CopyTo(secret);
        Assert.DoesNotContain(Convert.ToHexStringLower(secret), key.ToString(), StringComparison.OrdinalIgnoreCase);
        key.Dispose();
        Assert.Throws<ObjectDisposedException>(() => key.Sign(Hash256.Zero));
        Assert.Throws<ObjectDisposedException>(() => key.CopyTo(secret));
    }

    [Fact]
    public void Signatures_out_of_range_are_refused()
    {
        using var key = PrivateKey.Create();
        var good = key.Sign(Keccak256.Hash("x"));
        Assert.False(Signature.IsValid(Hash256.Zero, good.S));
        Assert.False(Signature.IsValid(good.R, Hash256.Zero));
        Assert.False(Signature.IsValid(Order, good.S));
        Assert.False(Signature.IsValid(good.R, new Hash256(Enumerable.Repeat((byte)0x80, 32).ToArray())));
        Assert.Throws<ArgumentOutOfRangeException>(() => new Signature(Hash256.Zero, good.S, false));

        var bytes = good.ToArray();
        Assert.Throws<FormatException>(() => Signature.Parse(bytes.AsSpan(0, 64)));
        bytes[64] = 1;
        Assert.Throws<FormatException>(() => Signature.Parse(bytes));
        bytes[64] = 27;
        bytes.AsSpan(0, 32).Clear();
        Assert.Throws<FormatException>(() => Signature.Parse(bytes));
    }

    [Fact]
    public void A_signature_whose_r_is_on_no_point_has_no_signer()
    {
        // x = 5: 5³ + 7 is no square modulo p.
        var signature = new Signature(Hash256.Parse("0x" + new string('0', 63) + "5"), Hash256.Parse("0x" + new string('0', 63) + "1"), false);
        Assert.False(signature.TryRecover(Hash256.Zero, out _));
        Assert.Throws<FormatException>(() => signature.Recover(Hash256.Zero));
    }

    [Fact]
    public void A_mistyped_checksum_is_refused()
    {
        const string good = "0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf";
        Assert.Equal(Address.Parse(good), AddressText.ParseChecked(good.ToLowerInvariant()));
        Assert.Throws<FormatException>(() => AddressText.ParseChecked(good.Replace("7E5F", "7e5F", StringComparison.Ordinal)));
        Assert.Throws<FormatException>(() => AddressText.ParseChecked("0x7E5F"));
    }

    [Fact]
    public void Derived_secrets_are_those_of_HKDF_and_differ_by_their_info()
    {
        using var key = new PrivateKey(Hash256.Parse("0x" + new string('0', 63) + "1").ToArray());
        var secret = key.DeriveSecret("fedchain/beacon"u8);
        var prk = System.Security.Cryptography.HMACSHA256.HashData(new byte[32], Hash256.Parse("0x" + new string('0', 63) + "1").ToArray());
        Assert.Equal(System.Security.Cryptography.HMACSHA256.HashData(prk, (byte[])[.. "fedchain/beacon"u8, 1]), secret.ToArray());
        Assert.NotEqual(secret, key.DeriveSecret(Encoding.UTF8.GetBytes("fedchain/beacon2")));
    }

    [Fact]
    public void Words_are_encoded_as_Solidity_does()
    {
        // keccak256(abi.encode(uint256(1), uint256(2)))
        Assert.Equal("0xe90b7bceb6e7df5418fb78d8ee546e97c83a08bbccc01a0644d599ccd2a7c2e0", Keccak256.OfWords(1, 2).ToString());
        Assert.Equal(Keccak256.OfWords(new RoundId(1), new MemberId(2)), Keccak256.OfWords(1, 2));
        Assert.Equal(Keccak256.OfWords(true), Keccak256.OfWords(1));
        Assert.Equal("0x" + new string('f', 64), Word.FromSigned(-1).ToString());
        Assert.Throws<ArgumentOutOfRangeException>(() => Word.FromUnsigned(-1));
        Assert.Throws<ArgumentOutOfRangeException>(() => Word.FromUnsigned(System.Numerics.BigInteger.Pow(2, 256)));
        Assert.Equal(-2, (int)Word.FromSigned(-2).ToSigned());
    }
}
