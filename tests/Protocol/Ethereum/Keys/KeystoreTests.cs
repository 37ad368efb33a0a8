using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using FedChain.Protocol.Ethereum;
using FedChain.Protocol.Ethereum.Keys;

namespace FedChain.Protocol.Tests.Ethereum.Keys;

public sealed class KeystoreTests
{
    public static IEnumerable<TheoryDataRow<VectorCase>> Derivations => EthereumVectors.Cases("ethers/pbkdf.json");

    public static IEnumerable<TheoryDataRow<VectorCase>> Wallets => EthereumVectors.Cases("ethers/wallets.json");

    public static IEnumerable<TheoryDataRow<VectorCase>> Official => EthereumVectors.Cases("ethereum-tests/keystore_basic_tests.json");

    public static IEnumerable<TheoryDataRow<VectorCase>> Valid => EthereumVectors.Cases("generated/keystore_v3.json", "valid");

    public static IEnumerable<TheoryDataRow<VectorCase>> Invalid => EthereumVectors.Cases("generated/keystore_v3.json", "invalid");

    [Theory(SkipTestWithoutData = true), MemberData(nameof(Derivations)), Trait("Category", "Vectors")]
    public void Keys_are_derived_as_in_ethers(VectorCase @case)
    {
        var (password, salt, length) = (@case.Json.Bytes("password"), @case.Json.Bytes("salt"), @case.Json.GetProperty("dkLen").GetInt32());
        var (pbkdf2, scrypt) = (@case.Json.GetProperty("pbkdf2"), @case.Json.GetProperty("scrypt"));
        var hash = new HashAlgorithmName(pbkdf2.Text("algorithm").ToUpperInvariant());
        Assert.Equal(pbkdf2.Bytes("key"), Rfc2898DeriveBytes.Pbkdf2(password, salt, pbkdf2.GetProperty("iterations").GetInt32(), hash, length));
        Assert.Equal(scrypt.Bytes("key"), Scrypt.DeriveKey(password, salt, scrypt.GetProperty("N").GetInt32(), scrypt.GetProperty("r").GetInt32(), scrypt.GetProperty("p").GetInt32(), length));
    }

    [Theory(SkipTestWithoutData = true), MemberData(nameof(Wallets)), Trait("Category", "Vectors")]
    public void Wallets_of_ethers_open(VectorCase @case)
    {
        Assert.SkipWhen(@case.Json.Text("type") is "crowdsale" or "presale", $"{@case.Name}: presale wallets of 2014 are no key files of version 3");
        Assert.Equal("keystore", @case.Json.Text("type"));
        using var key = Keystore.Decrypt(@case.Json.Text("content"), @case.Json.Bytes("password"));
        Assert.Equal(@case.Json.Text("address"), key.Address.ToChecksum());
    }

    [Theory(SkipTestWithoutData = true), MemberData(nameof(Official)), Trait("Category", "Vectors")]
    public void Key_files_of_the_official_tests_open(VectorCase @case)
    {
        using var key = Keystore.Decrypt(@case.Json.GetProperty("json").GetRawText(), @case.Json.Text("password"));
        Assert.Equal("0x" + @case.Json.Text("priv"), Secret(key));
    }

    [Theory(SkipTestWithoutData = true), MemberData(nameof(Valid)), Trait("Category", "Vectors")]
    public void Key_files_of_other_programs_open(VectorCase @case)
    {
        using var key = Keystore.Decrypt(@case.Json.GetProperty("json").GetRawText(), @case.Json.Text("passwordUtf8"));
        Assert.Equal(@case.Json.Text("privateKey"), Secret(key));
        Assert.Equal(@case.Json.Text("address"), key.Address.ToChecksum());
        using var same = Keystore.Decrypt(@case.Json.GetProperty("json").GetRawText(), @case.Json.Bytes("passwordHex"));
        Assert.Equal(key.Address, same.Address);
    }

    [Theory(SkipTestWithoutData = true), MemberData(nameof(Invalid)), Trait("Category", "Vectors")]
    public void Invalid_key_files_are_refused(VectorCase @case)
    {
        void Open() => Keystore.Decrypt(@case.Json.GetProperty("json").GetRawText(), @case.Json.Text("passwordUtf8"));
        if (@case.Json.Text("why").Contains("MAC", StringComparison.Ordinal))
        {
            Assert.Throws<WrongPassphraseException>(Open);
        }
        else
        {
            Assert.Throws<FormatException>(Open);
        }
    }

    [Fact]
    public void A_written_file_opens_with_its_passphrase_only()
    {
        using var key = PrivateKey.Create();
        var json = Keystore.Encrypt(key, "pässphrase", KeystoreOptions.Light);
        using var opened = Keystore.Decrypt(json, "pässphrase");
        Assert.Equal(Secret(key), Secret(opened));
        Assert.Throws<WrongPassphraseException>(() => Keystore.Decrypt(json, "passphrase"));
        Assert.NotEqual(json, Keystore.Encrypt(key, "pässphrase", KeystoreOptions.Light));
        Assert.DoesNotContain(Secret(key)[2..], json, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public void The_default_cost_is_that_of_geth()
    {
        using var key = PrivateKey.Create();
        using var json = JsonDocument.Parse(Keystore.Encrypt(key, "x"));
        var parameters = json.RootElement.GetProperty("crypto").GetProperty("kdfparams");
        Assert.Equal(262144, parameters.GetProperty("n").GetInt32());
        Assert.Equal(8, parameters.GetProperty("r").GetInt32());
    }

    [Theory]
    [InlineData("version", 1)]
    [InlineData("version", "3")]
    [InlineData("version", null)]
    [InlineData("address", "00000000000000000000000000000000000000ff")]
    [InlineData("crypto.kdf", "argon2")]
    [InlineData("crypto.kdf", null)]
    [InlineData("crypto.cipher", "aes-128-cbc")]
    [InlineData("crypto.mac", "00")]
    [InlineData("crypto.mac", "zz")]
    [InlineData("crypto.cipherparams", null)]
    [InlineData("crypto.cipherparams.iv", "00")]
    [InlineData("crypto.kdfparams.n", 1000)]
    [InlineData("crypto.kdfparams.n", 0)]
    [InlineData("crypto.kdfparams.n", -2147483648)]
    [InlineData("crypto.kdfparams.r", 0)]
    [InlineData("crypto.kdfparams.r", 1073741824)]
    [InlineData("crypto.kdfparams.p", 1073741824)]
    [InlineData("crypto.kdfparams.dklen", 16)]
    [InlineData("crypto.kdfparams.dklen", 2147483647)]
    [InlineData("crypto", null)]
    public void A_file_with_another_format_is_refused_whatever_the_passphrase(string path, object? value)
    {
        using var key = PrivateKey.Create();
        var json = JsonNode.Parse(Keystore.Encrypt(key, "x", KeystoreOptions.Light))!.AsObject();
        var names = path.Split('.');
        var parent = names[..^1].Aggregate((JsonNode)json, (node, name) => node[name]!).AsObject();
        parent[names[^1]] = value switch { null => null, int i => i, var text => (string)text };
        Assert.Throws<FormatException>(() => Keystore.Decrypt(json.ToJsonString(), "x"));
    }

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("{")]
    [InlineData("3")]
    public void What_is_no_key_file_is_refused(string json) => Assert.Throws<FormatException>(() => Keystore.Decrypt(json, "x"));

    private static string Secret(PrivateKey key)
    {
        var secret = new byte[PrivateKey.Size];
        key.CopyTo(secret);
        return Hex.Encode(secret);
    }
}
