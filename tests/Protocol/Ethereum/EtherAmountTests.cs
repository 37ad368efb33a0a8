using System.Globalization;
using System.Numerics;
using CsCheck;
using FedChain.Protocol.Ethereum;

namespace FedChain.Protocol.Tests.Ethereum;

public sealed class EtherAmountTests
{
    private const string FormatSuffix = "_format";

    private static readonly Dictionary<string, int> Units = new()
    {
        ["kwei"] = 3,
        ["mwei"] = 6,
        ["satoshi"] = 8,
        ["gwei"] = EtherAmount.Gwei,
        ["szabo"] = 12,
        ["finney"] = 15,
        ["ether"] = EtherAmount.Ether,
    };

    public static IEnumerable<TheoryDataRow<VectorCase>> Cases => EthereumVectors.Cases("ethers/units.json");

    [Theory(SkipTestWithoutData = true), MemberData(nameof(Cases)), Trait("Category", "Vectors")]
    public void Amounts_are_read_and_written_as_in_ethers(VectorCase @case)
    {
        var wei = BigInteger.Parse(@case.Json.Text("wei"), CultureInfo.InvariantCulture);
        foreach (var property in @case.Json.EnumerateObject().Where(p => p.Name is not ("name" or "wei")))
        {
            var text = property.Value.GetString()!;
            if (property.Name.EndsWith(FormatSuffix, StringComparison.Ordinal))
            {
                Assert.Equal(text, EtherAmount.Format(wei, Units[property.Name[..^FormatSuffix.Length]]));
            }
            else
            {
                Assert.Equal(wei, EtherAmount.Parse(text, Units[property.Name]));
            }
        }
    }

    [Fact]
    public void Every_amount_round_trips() => Gen.Select(Gen.Long, Gen.Int[0, 30]).Sample((wei, decimals) =>
        Assert.Equal(wei, EtherAmount.Parse(EtherAmount.Format(wei, decimals), decimals)));

    [Theory]
    [InlineData("")]
    [InlineData("-")]
    [InlineData(".")]
    [InlineData("1.2.3")]
    [InlineData("1e3")]
    [InlineData(" 1")]
    [InlineData("+1")]
    [InlineData("1,5")]
    [InlineData("--1")]
    [InlineData("0.1234567891")]
    public void What_is_no_amount_is_refused(string text) => Assert.Throws<FormatException>(() => EtherAmount.Parse(text, EtherAmount.Gwei));
}
