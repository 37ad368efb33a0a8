using System.Text;
using System.Text.Json;
using CsCheck;
using FedChain.Protocol.Ethereum;
using FedChain.Protocol.Ethereum.Signing;
using FedChain.Protocol.Identity;
using FedChain.Tests;

namespace FedChain.Protocol.Tests.Identity;

public sealed class StatementTests
{
    private static readonly Address Membership = Address.Parse("0x5fbdb2315678afecb367f032d93f642f64180aa3");

    private static readonly Gen<Statement> Statements = Gen.Select(
        Gen.UInt[1, uint.MaxValue], Gen.Byte.Array[Hash256.Size], Gen.ULong[0, (1UL << 53) - 1], Gen.String[Gen.Char['\0', '\ud7ff'], 0, 200],
        (member, model, issuedAt, text) => new Statement(new MemberId(member), new Hash256(model), issuedAt, text));

    [Fact]
    public void Statements_are_signed_as_by_ethers_and_verified_as_by_viem()
    {
        using var vectors = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(Shared.RepositoryRoot, "tests", "vectors", "statements.json")));
        Assert.NotEmpty(vectors.RootElement.EnumerateArray());
        foreach (var vector in vectors.RootElement.EnumerateArray())
        {
            var statement = new Statement(
                new MemberId(vector.GetProperty("member").GetUInt32()), Hash256.Parse(Text("model")), vector.GetProperty("issuedAt").GetUInt64(), Text("text"));
            var (chain, membership) = (vector.GetProperty("chainId").GetUInt64(), Address.Parse(Text("membership")));
            using var key = new PrivateKey(Hex.Decode(Text("privateKey")));
            var digest = statement.Digest(chain, membership);
            Assert.Equal(Text("structHash"), statement.StructHash.ToString());
            Assert.Equal(Text("digest"), digest.ToString());
            Assert.Equal(Text("signature"), key.Sign(digest).ToString());
            Assert.Equal(Text("signer"), Signature.Parse(Hex.Decode(Text("signature"))).Recover(digest).ToString());

            string Text(string name) => vector.GetProperty(name).GetString()!;
        }
    }

    [Fact]
    public void A_file_holds_the_statement_and_gives_back_its_signer() => Statements.Sample(statement =>
    {
        using var key = new PrivateKey(Keccak256.Hash("key").ToArray());
        var signed = new SignedStatement(31337, Membership, statement, key.Sign(statement.Digest(31337, Membership)));
        var read = SignedStatement.Parse(signed.ToBytes());
        Assert.Equal(signed, read);
        Assert.Equal(key.Address, read.Signature.Recover(read.Digest));
    });

    [Fact]
    public void Another_member_model_time_text_chain_or_federation_is_another_digest() => Statements.Sample(statement =>
    {
        var other = Address.Parse("0x00000000000000000000000000000000000000aa");
        Hash256[] digests =
        [
            statement.Digest(1, Membership),
            statement.Digest(2, Membership),
            statement.Digest(1, other),
            (statement with { Member = new MemberId(statement.Member.Value ^ 1) }).Digest(1, Membership),
            (statement with { Model = statement.Model ^ Keccak256.Hash("x") }).Digest(1, Membership),
            (statement with { IssuedAt = statement.IssuedAt ^ 1 }).Digest(1, Membership),
            (statement with { Text = statement.Text + " " }).Digest(1, Membership),
            new SigningDomain(1, Membership).Digest(new Holdings(new RoundId(1), statement.Model, new byte[] { 1 })),
        ];
        Assert.Equal(digests.Length, digests.Distinct().Count());
    });

    [Theory]
    [InlineData("\"v\":1", "\"v\":2")]
    [InlineData("\"kind\":\"statement\"", "\"kind\":\"update\"")]
    [InlineData("did:fedchain:31337:", "did:fedchain:031337:")]
    [InlineData("did:fedchain:31337:", "did:ethr:31337:")]
    [InlineData("\"issuedAt\":5", "\"issuedAt\":-5")]
    [InlineData("\"text\"", "\"test\"")]
    [InlineData("1c\"", "05\"")]
    [InlineData("{", " {")]
    public void A_file_that_is_not_exactly_a_statement_is_refused(string part, string other)
    {
        using var key = new PrivateKey(Keccak256.Hash("key").ToArray());
        var statement = new Statement(new MemberId(1), Keccak256.Hash("model"), 5, "said");
        var file = new SignedStatement(31337, Membership, statement, key.Sign(statement.Digest(31337, Membership))).ToString();
        var at = file.IndexOf(part, StringComparison.Ordinal);
        Assert.Throws<InvalidDataException>(() => SignedStatement.Parse(Encoding.UTF8.GetBytes(file[..at] + other + file[(at + part.Length)..])));
    }

    [Fact]
    public void A_text_too_long_for_a_file_is_refused_and_half_a_character_too()
    {
        using var key = new PrivateKey(Keccak256.Hash("key").ToArray());
        var statement = new Statement(new MemberId(1), default, 5, new string('x', SignedStatement.MaxText + 1));
        var signature = key.Sign(statement.Digest(1, Membership));
        Assert.Throws<InvalidOperationException>(() => new SignedStatement(1, Membership, statement, signature).ToBytes());
        Assert.Throws<ArgumentException>(() => new SignedStatement(1, Membership, statement with { Text = "\ud800" }, signature).ToBytes());
    }
}
