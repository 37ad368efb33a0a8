using System.Globalization;
using System.Numerics;
using System.Text.Json;
using FedChain.Protocol.Ethereum;
using FedChain.Protocol.Ethereum.Transactions;

namespace FedChain.Protocol.Tests.Ethereum.Transactions;

public sealed class TransactionTests
{
    private const ulong Mainnet = 1;

    public static IEnumerable<TheoryDataRow<VectorCase>> EthersCases => EthereumVectors.Cases("ethers/transactions.json");

    public static IEnumerable<TheoryDataRow<VectorCase>> Generated => EthereumVectors.Cases("generated/eip1559_signed.json");

    public static IEnumerable<TheoryDataRow<VectorCase>> Official => EthereumVectors.Cases("ethereum-tests/transaction_tests.json");

    [Theory(SkipTestWithoutData = true), MemberData(nameof(EthersCases)), Trait("Category", "Vectors")]
    public void All_types_serialise_and_sign_as_in_ethers(VectorCase @case)
    {
        using var key = new PrivateKey(@case.Json.Bytes("privateKey"));
        var t = @case.Json.GetProperty("transaction");
        var (nonce, gas, to, value, data) = ((ulong)Integer(t, "nonce"), (ulong)Integer(t, "gasLimit"), To(t), Integer(t, "value"), Data(t));
        var chain = (ulong)Integer(t, "chainId");
        var (price, fee, tip) = (Integer(t, "gasPrice"), Integer(t, "maxFeePerGas"), Integer(t, "maxPriorityFeePerGas"));
        var list = AccessList(t);
        var legacy = new LegacyTransaction { Nonce = nonce, GasPrice = price, GasLimit = gas, To = to, Value = value, Data = data };
        AssertAgrees(@case.Json, "Legacy", legacy, key);
        AssertAgrees(@case.Json, "Berlin", new AccessListTransaction { ChainId = chain, Nonce = nonce, GasPrice = price, GasLimit = gas, To = to, Value = value, Data = data, AccessList = list }, key);
        AssertAgrees(@case.Json, "London", new DynamicFeeTransaction { ChainId = chain, Nonce = nonce, MaxFeePerGas = fee, MaxPriorityFeePerGas = tip, GasLimit = gas, To = to, Value = value, Data = data, AccessList = list }, key);
        if (chain != 0) // a legacy transaction for chain 0 doesn't exist
        {
            AssertAgrees(@case.Json, "Eip155", legacy with { ChainId = chain }, key);
        }

        if (@case.Json.Text("signedCancun").Length > 0)
        {
            var hashes = t.TryGetProperty("blobVersionedHashes", out var h) ? h.EnumerateArray().Select(e => Hash256.Parse(e.GetString()!)).ToArray() : [];
            AssertAgrees(@case.Json, "Cancun", new BlobTransaction { ChainId = chain, Nonce = nonce, MaxFeePerGas = fee, MaxPriorityFeePerGas = tip, GasLimit = gas, To = to, Value = value, Data = data, AccessList = list, MaxFeePerBlobGas = Integer(t, "maxFeePerBlobGas"), BlobVersionedHashes = hashes }, key);
        }
    }

    [Theory(SkipTestWithoutData = true), MemberData(nameof(Generated)), Trait("Category", "Vectors")]
    public void Dynamic_fee_transactions_agree_with_ethers_and_viem(VectorCase @case)
    {
        using var key = new PrivateKey(@case.Json.Bytes("privateKey"));
        var t = @case.Json.GetProperty("tx");
        var transaction = new DynamicFeeTransaction
        {
            ChainId = (ulong)Integer(t, "chainId"),
            Nonce = (ulong)Integer(t, "nonce"),
            MaxFeePerGas = Integer(t, "maxFeePerGas"),
            MaxPriorityFeePerGas = Integer(t, "maxPriorityFeePerGas"),
            GasLimit = (ulong)Integer(t, "gasLimit"),
            To = To(t),
            Value = Integer(t, "value"),
            Data = Data(t),
            AccessList = AccessList(t),
        };
        Assert.Equal(@case.Json.Text("unsignedSerialized"), Hex.Encode(transaction.SerializeUnsigned()));
        Assert.Equal(@case.Json.Text("signingHash"), transaction.SigningHash.ToString());
        var signed = transaction.Sign(key);
        var signature = @case.Json.GetProperty("signature");
        Assert.Equal(signature.GetProperty("yParity").GetInt32(), signed.Signature.YParity);
        Assert.Equal(signature.Text("r"), signed.Signature.R.ToString());
        Assert.Equal(signature.Text("s"), signed.Signature.S.ToString());
        Assert.Equal(@case.Json.Text("rawTransaction"), Hex.Encode(signed.Raw.Span));
        Assert.Equal(@case.Json.Text("hash"), signed.Hash.ToString());
        Assert.Equal(@case.Json.Text("sender"), signed.Sender.ToChecksum());
        Assert.Equal(signed.Sender, SignedTransaction.Decode(signed.Raw).Sender);
        if (@case.Json.TryGetProperty("createdAddress", out var created))
        {
            Assert.Equal(created.GetString(), ContractAddress.Create(signed.Sender, transaction.Nonce).ToChecksum());
        }
    }

    [Theory(SkipTestWithoutData = true), MemberData(nameof(Official)), Trait("Category", "Vectors")]
    public void Transactions_are_accepted_and_refused_as_the_official_tests_say(VectorCase @case)
    {
        if (@case.Json.GetProperty("valid").GetBoolean())
        {
            var signed = SignedTransaction.Decode(@case.Json.Bytes("txbytes"));
            Assert.Equal(@case.Json.Text("hash"), signed.Hash.ToString());
            Assert.Equal(@case.Json.Text("sender"), signed.Sender.ToString(), ignoreCase: true);
            Assert.Equal(@case.Json.Text("txbytes"), Hex.Encode(signed.Raw.Span));
            Assert.True(signed.Transaction.ChainId is null or Mainnet);
            return;
        }

        Assert.SkipWhen(
            @case.Json.Text("exception").EndsWith(".INTRINSIC_GAS_TOO_LOW", StringComparison.Ordinal),
            $"{@case.Name}: intrinsic gas depends on the fork and is the chain's to enforce");
        try
        {
            var decoded = SignedTransaction.Decode(@case.Json.Bytes("txbytes"));
            Assert.EndsWith(".INVALID_CHAINID", @case.Json.Text("exception"), StringComparison.Ordinal);
            Assert.False(decoded.Transaction.ChainId is null or Mainnet); // well-formed, for another chain than the tests' own
        }
        catch (FormatException)
        {
            // refused, as it must be
        }
    }

    [Fact]
    public void A_transaction_that_no_chain_takes_is_not_signed()
    {
        using var key = PrivateKey.Create();
        var good = new DynamicFeeTransaction { ChainId = 1, MaxFeePerGas = 2, MaxPriorityFeePerGas = 1, GasLimit = 21000, To = Address.Zero };
        Assert.Equal(key.Address, SignedTransaction.Decode(good.Sign(key).Raw).Sender);
        Assert.Throws<ArgumentException>(() => (good with { Nonce = ulong.MaxValue }).Sign(key));
        Assert.Throws<ArgumentException>(() => (good with { MaxPriorityFeePerGas = 3 }).Sign(key));
        Assert.Throws<ArgumentException>(() => (good with { Value = BigInteger.Pow(2, 256) }).Sign(key));
        Assert.Throws<ArgumentException>(() => (good with { MaxFeePerGas = BigInteger.Pow(2, 250) }).Sign(key));
    }

    [Theory]
    [InlineData(2)]
    [InlineData(27)]
    public void A_typed_transaction_has_parity_0_or_1(int parity)
    {
        using var key = PrivateKey.Create();
        var good = new DynamicFeeTransaction { ChainId = 1, GasLimit = 21000, To = key.Address }.Sign(key);
        var fields = Rlp.Decode(good.Raw[1..]).Items.ToArray();
        fields[9] = RlpItem.Of(parity);
        Assert.Throws<FormatException>(() => SignedTransaction.Decode((byte[])[2, .. Rlp.Encode(RlpItem.List(fields))]));
        Assert.Throws<FormatException>(() => SignedTransaction.Decode((byte[])[2, .. Rlp.Encode(RlpItem.List(fields[..9]))]));
        Assert.Throws<FormatException>(() => SignedTransaction.Decode(Array.Empty<byte>()));
    }

    [Fact]
    public void Every_changed_byte_is_refused_or_changes_hash_and_sender()
    {
        using var key = PrivateKey.Create();
        var good = new DynamicFeeTransaction { ChainId = 1, MaxFeePerGas = 2, GasLimit = 21000, To = key.Address, Data = new byte[60] }.Sign(key);
        for (var i = 0; i < good.Raw.Length; i++)
        {
            var raw = good.Raw.ToArray();
            raw[i] ^= 1;
            try
            {
                var other = SignedTransaction.Decode(raw);
                Assert.NotEqual(good.Hash, other.Hash);
                Assert.NotEqual(good.Sender, other.Sender);
            }
            catch (FormatException)
            {
                // refused
            }
        }
    }

    private static void AssertAgrees(JsonElement json, string form, Transaction transaction, PrivateKey key)
    {
        Assert.Equal(json.Text("unsigned" + form), Hex.Encode(transaction.SerializeUnsigned()));
        var signed = transaction.Sign(key);
        Assert.Equal(json.Text("signed" + form), Hex.Encode(signed.Raw.Span));
        var signature = json.GetProperty("signature" + form);
        Assert.Equal(signature.Text("r"), signed.Signature.R.ToString());
        Assert.Equal(signature.Text("s"), signed.Signature.S.ToString());
        var decoded = SignedTransaction.Decode(signed.Raw);
        Assert.Equal(key.Address, decoded.Sender);
        Assert.Equal(signed.Hash, decoded.Hash);
        Assert.Equal(transaction.SerializeUnsigned(), decoded.Transaction.SerializeUnsigned());
    }

    private static BigInteger Integer(JsonElement json, string name)
    {
        if (!json.TryGetProperty(name, out var value) || value.ValueKind == JsonValueKind.Null)
        {
            return 0;
        }

        return value.ValueKind == JsonValueKind.Number
            ? value.GetUInt64()
            : BigInteger.Parse("0" + value.GetString()![2..], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
    }

    private static Address? To(JsonElement json) => json.TryGetProperty("to", out var to) && to.ValueKind == JsonValueKind.String ? Address.Parse(to.GetString()!) : null;

    private static byte[] Data(JsonElement json) => json.TryGetProperty("data", out var data) ? Hex.Decode(data.GetString()!) : [];

    private static AccessListEntry[] AccessList(JsonElement json) => json.TryGetProperty("accessList", out var list)
        ? [.. list.EnumerateArray().Select(e => new AccessListEntry(Address.Parse(e.Text("address")), [.. e.GetProperty("storageKeys").EnumerateArray().Select(k => Hash256.Parse(k.GetString()!))]))]
        : [];
}
