using FedChain.Tests;

namespace FedChain.Protocol.Tests.Ethereum;

[Trait("Category", "Vectors")]
public sealed class EthereumVectorCoverageTests
{
    /// <summary>Each is read by a test of this folder under the same name.</summary>
    private static readonly HashSet<string> Known =
    [
        "ethers/abi.json", "ethers/accounts.json", "ethers/create.json", "ethers/create2.json", "ethers/hashes.json", "ethers/hmac.json", "ethers/pbkdf.json",
        "ethers/rlp.json", "ethers/solidity-hashes.json", "ethers/transactions.json", "ethers/typed-data.json", "ethers/units.json", "ethers/wallets.json",
        "ethereum-tests/abi_basic.json", "ethereum-tests/invalidRLPTest.json", "ethereum-tests/keystore_basic_tests.json",
        "ethereum-tests/rlp_random_example.json", "ethereum-tests/rlptest.json", "ethereum-tests/transaction_tests.json",
        "generated/calldata.json", "generated/eip1559_signed.json", "generated/eip191_signed.json", "generated/eip712_signed.json",
        "generated/errors.json", "generated/events.json", "generated/keystore_v3.json",
    ];

    [Fact]
    public void Every_file_of_vectors_has_a_test()
    {
        var folders = Shared.VectorFolders("ethereum").ToList();
        Assert.SkipUnless(folders.Count > 0, "no folder vectors/ethereum");
        foreach (var folder in folders)
        {
            var unknown = Directory.EnumerateFiles(folder, "*.json", SearchOption.AllDirectories)
                .Select(file => Path.GetRelativePath(folder, file).Replace('\\', '/')).Where(file => !Known.Contains(file));
            Assert.Empty(unknown);
        }
    }
}
