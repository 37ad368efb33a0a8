using System.Text.Json;
using FedChain.Protocol;
using FedChain.Tests;

namespace FedChain.Network.Tests.Chain;

/// <summary>What the contracts ask of a chain: chains differ in their randomness, which on some is constant, and in what a block's hash is.</summary>
public sealed class ReleaseCodeTests
{
    private const byte BlockHash = 0x40;
    private const byte Coinbase = 0x41;
    private const byte Timestamp = 0x42;
    private const byte PrevRandao = 0x44;
    private const byte Push1 = 0x60;
    private const byte Push32 = 0x7f;

    [Theory]
    [InlineData("Membership")]
    [InlineData("Governance")]
    [InlineData("Rounds")]
    public void The_contracts_ask_a_chain_for_its_time_and_for_nothing_that_is_random_or_anybodys_choice(string contract)
    {
        var asked = Instructions(contract).ToHashSet();
        Assert.Contains(Timestamp, asked);
        Assert.DoesNotContain(PrevRandao, asked);
        Assert.DoesNotContain(BlockHash, asked);
        Assert.DoesNotContain(Coinbase, asked);
    }

    /// <summary>The opcodes of the deployed code, without what PUSH carries and without the compiler's note at the end, whose length is in the last two bytes.</summary>
    private static IEnumerable<byte> Instructions(string contract)
    {
        using var json = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(Shared.RepositoryRoot, "contracts", "release", contract + ".json")));
        var code = Hex.Decode(json.RootElement.GetProperty("deployedBytecode").GetString()!);
        var end = code.Length - 2 - ((code[^2] << 8) | code[^1]);
        for (var at = 0; at < end; at += code[at] is >= Push1 and <= Push32 ? 2 + code[at] - Push1 : 1)
        {
            yield return code[at];
        }
    }
}
